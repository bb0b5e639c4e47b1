-- The only definition of a bill's state. A trigger rejects a commit that would leave one broken.

CREATE OR REPLACE VIEW billing.bill_states AS
SELECT
    b.bill_id,
    b.apartment_id,
    CASE
        WHEN o.bill_id IS NOT NULL AND num_nonnulls(s.bill_id, v.bill_id, r.bill_id) = 0 THEN 'open'
        WHEN s.bill_id IS NOT NULL AND num_nonnulls(o.bill_id, v.bill_id, r.bill_id) = 0
            THEN 'settled'
        WHEN num_nonnulls(o.bill_id, s.bill_id) > 0 THEN 'broken'
        WHEN r.bill_id IS NOT NULL THEN 'replaced'
        WHEN v.bill_id IS NOT NULL THEN 'void'
        ELSE 'broken'
    END AS state
FROM billing.bills b
LEFT JOIN billing.open_bills o ON o.bill_id = b.bill_id
LEFT JOIN billing.settled_bills s ON s.bill_id = b.bill_id
LEFT JOIN billing.bill_voids v ON v.bill_id = b.bill_id
LEFT JOIN billing.bills r ON r.replaces = b.bill_id;

COMMENT ON VIEW billing.bill_states IS
    'State of each bill: open, settled, void, replaced by a revision, or broken.';
