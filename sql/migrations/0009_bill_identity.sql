-- depends: 0008_payment_age
-- A bill is known by provider, reference, utility and period; before, by the first two alone.
-- A void can be taken back.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '600s';

ALTER TABLE billing.bills
    DROP CONSTRAINT bill_replaces_one_of_its_origin,
    DROP CONSTRAINT bill_origin_can_be_referred_to,
    DROP CONSTRAINT bill_is_replaced_once,
    DROP CONSTRAINT bill_revision_is_unique;

-- A line of another utility or period replaced a bill that it had nothing to do with. The two
-- become bills of their own: what is owed and paid stays as it is, and the replaced one is void,
-- from where it can be reinstated. Only the numbers of revisions change, once, here.
INSERT INTO billing.bill_voids (bill_id, reason, operator, voided_at)
SELECT b.bill_id, 'Replaced by a bill of another utility or period', 'migration 0009',
    clock_timestamp()
FROM (
    SELECT bill_id, lead(bill_id) OVER (
        PARTITION BY provider_id, provider_reference, utility, period_from, period_to
        ORDER BY revision
    ) AS next_revision
    FROM billing.bills
) b
INNER JOIN billing.bills r ON r.replaces = b.bill_id
WHERE b.next_revision IS NULL
ON CONFLICT ON CONSTRAINT bill_voids_pkey DO NOTHING;

ALTER TABLE billing.bills DISABLE TRIGGER bills_reject_changes;
UPDATE billing.bills b SET revision = n.revision, replaces = n.replaces
FROM (
    SELECT bill_id, row_number() OVER one_bill AS revision, lag(bill_id) OVER one_bill AS replaces
    FROM billing.bills
    WINDOW one_bill AS (
        PARTITION BY provider_id, provider_reference, utility, period_from, period_to
        ORDER BY revision
    )
) n
WHERE n.bill_id = b.bill_id
    AND (n.revision, n.replaces) IS DISTINCT FROM (b.revision, b.replaces);
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE billing.bills ENABLE TRIGGER bills_reject_changes;

ALTER TABLE billing.bills
    ADD CONSTRAINT bill_revision_is_unique
        UNIQUE (provider_id, provider_reference, utility, period_from, period_to, revision),
    ADD CONSTRAINT bill_is_replaced_once UNIQUE (replaces),
    ADD CONSTRAINT bill_origin_can_be_referred_to UNIQUE
        (bill_id, apartment_id, provider_id, provider_reference, utility, period_from, period_to),
    ADD CONSTRAINT bill_replaces_one_of_its_origin FOREIGN KEY
        (replaces, apartment_id, provider_id, provider_reference, utility, period_from, period_to)
        REFERENCES billing.bills
        (bill_id, apartment_id, provider_id, provider_reference, utility, period_from, period_to)
        ON DELETE RESTRICT,
    -- A revision has the reference of its first, which may be older than this rule.
    ADD CONSTRAINT bill_reference_is_normalized
        CHECK (revision > 1 OR provider_reference IS NFC NORMALIZED) NOT VALID;
COMMENT ON COLUMN billing.bills.provider_reference IS
    'The provider''s own number of the bill, in NFC. With provider, utility and period it'
    ' identifies the bill; a number may be used again for another utility or period.';

CREATE INDEX bills_of_an_apartment
    ON billing.bills (apartment_id, provider_id, utility, period_from);
COMMENT ON INDEX billing.bills_of_an_apartment IS
    'Answers whether a new bill looks like another of the apartment.';

CREATE TABLE billing.bill_reinstatements (
    bill_id uuid NOT NULL,
    reason text NOT NULL,
    operator text NOT NULL,
    reinstated_at timestamptz NOT NULL,
    CONSTRAINT bill_reinstatements_pkey PRIMARY KEY (bill_id),
    CONSTRAINT reinstatement_is_of_a_void FOREIGN KEY (bill_id)
        REFERENCES billing.bill_voids (bill_id) ON DELETE RESTRICT,
    CONSTRAINT reinstated_bill_is_replaced FOREIGN KEY (bill_id)
        REFERENCES billing.bills (replaces) ON DELETE RESTRICT,
    CONSTRAINT reinstatement_has_a_reason CHECK (btrim(reason) <> ''),
    CONSTRAINT reinstatement_has_an_operator CHECK (btrim(operator) <> '')
);
COMMENT ON TABLE billing.bill_reinstatements IS
    'Voids that were taken back, by whom and why: a revision with the same content replaces the'
    ' void bill.';

CREATE TRIGGER bill_reinstatements_reject_changes
    BEFORE UPDATE OR DELETE ON billing.bill_reinstatements
    FOR EACH ROW EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER bill_reinstatements_reject_truncate
    BEFORE TRUNCATE ON billing.bill_reinstatements
    FOR EACH STATEMENT EXECUTE FUNCTION billing.reject_change();
