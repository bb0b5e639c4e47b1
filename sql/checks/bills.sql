-- Contradictions in bills. sql/checks/violations.sql says how these views are read.

CREATE OR REPLACE VIEW billing.bill_violations (rule, subject, detail, belongs_to) AS

SELECT
    'bill_has_one_state', bill_id::text, 'not exactly one of open, settled, void, replaced',
    apartment_id
FROM billing.bill_states
WHERE state = 'broken'

UNION ALL
SELECT 'bill_refers_to_what_exists', b.bill_id::text, 'no such import, provider or utility',
    b.apartment_id
FROM billing.bills b
LEFT JOIN billing.imports i ON i.import_id = b.import_id
LEFT JOIN billing.providers p ON p.provider_id = b.provider_id
LEFT JOIN billing.utilities u ON u.utility = b.utility
WHERE num_nulls(i.import_id, p.provider_id, u.utility) > 0

UNION ALL
SELECT 'open_bill_is_as_billed', o.bill_id::text, 'open row differs from the bill', o.apartment_id
FROM billing.open_bills o
LEFT JOIN billing.bills b ON b.bill_id = o.bill_id
WHERE (o.apartment_id, o.amount_minor, o.currency)
    IS DISTINCT FROM (b.apartment_id, b.amount_minor, b.currency)

UNION ALL
SELECT
    'revisions_follow_without_gap',
    concat_ws('/', b.provider_id, b.provider_reference, b.utility, b.period_from, b.period_to),
    format('revision %s replaces %s', b.revision, coalesce(r.revision::text, 'nothing')),
    b.apartment_id
FROM billing.bills b
LEFT JOIN billing.bills r ON r.bill_id = b.replaces
WHERE b.revision <> coalesce(r.revision, 0) + 1
    OR (b.replaces IS NULL) <> (r.bill_id IS NULL)
    OR (b.apartment_id, b.provider_id, b.provider_reference)
        <> (r.apartment_id, r.provider_id, r.provider_reference)
    OR (b.utility, b.period_from, b.period_to) <> (r.utility, r.period_from, r.period_to)

-- A void is taken back by a revision that says the same.
UNION ALL
SELECT 'reinstated_bill_is_owed_anew', b.bill_id::text, 'not void, or no revision says the same',
    b.apartment_id
FROM billing.bills b
INNER JOIN billing.bill_reinstatements i ON i.bill_id = b.bill_id
LEFT JOIN billing.bill_voids v ON v.bill_id = b.bill_id
LEFT JOIN billing.bills r
    ON r.replaces = b.bill_id
        AND (r.amount_minor, r.currency, r.due_on) = (b.amount_minor, b.currency, b.due_on)
WHERE num_nulls(v.bill_id, r.bill_id) > 0

UNION ALL
SELECT 'reinstatement_is_of_a_bill', i.bill_id::text, 'no such bill', i.bill_id
FROM billing.bill_reinstatements i
LEFT JOIN billing.bills b ON b.bill_id = i.bill_id
WHERE b.bill_id IS NULL

UNION ALL
SELECT 'void_is_of_a_bill', v.bill_id::text, 'no such bill', v.bill_id
FROM billing.bill_voids v
LEFT JOIN billing.bills b ON b.bill_id = v.bill_id
WHERE b.bill_id IS NULL;

COMMENT ON VIEW billing.bill_violations IS 'Contradictions in bills.';
