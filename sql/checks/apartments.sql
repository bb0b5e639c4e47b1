-- Contradictions in what belongs to an apartment itself. sql/checks/violations.sql says how these
-- views are read.

CREATE OR REPLACE VIEW billing.apartment_violations (rule, subject, detail, belongs_to) AS

SELECT
    'apartment_is_there', t.apartment_id::text, format('a %s of an unknown apartment', t.part),
    t.apartment_id
FROM (
    SELECT 'state' AS part, apartment_id FROM billing.apartment_state
    UNION ALL
    SELECT 'check', apartment_id FROM billing.apartment_checks
    UNION ALL
    SELECT 'residency', apartment_id FROM billing.residencies
    UNION ALL
    SELECT 'bill', apartment_id FROM billing.bills
    UNION ALL
    SELECT 'payment', apartment_id FROM billing.payments
) t
LEFT JOIN billing.apartments a ON a.apartment_id = t.apartment_id
WHERE a.apartment_id IS NULL

UNION ALL
SELECT
    'apartment_state_is_the_head', a.apartment_id::text,
    format('state %s, history %s', coalesce(s.last_seq::text, 'missing'), coalesce(h.seq, 0)),
    a.apartment_id
FROM billing.apartments a
LEFT JOIN billing.apartment_state s ON s.apartment_id = a.apartment_id
LEFT JOIN LATERAL (
    SELECT e.seq, e.posted_at FROM billing.history e
    WHERE e.apartment_id = a.apartment_id
    ORDER BY e.seq DESC LIMIT 1
) h ON TRUE
WHERE s.last_seq IS DISTINCT FROM coalesce(h.seq, 0)
    OR s.last_posted_at IS DISTINCT FROM h.posted_at

-- Each of these was a transaction of its own, and raised the version by one. Migrations don't.
UNION ALL
SELECT
    'version_counts_every_change', s.apartment_id::text,
    format('version %s after %s changes', s.version, c.changes), s.apartment_id
FROM billing.apartment_state s
CROSS JOIN LATERAL (
    SELECT
        (
            SELECT count(*) + count(r.payment_id) FROM billing.payments p
            LEFT JOIN billing.reversals r ON r.payment_id = p.payment_id
            WHERE p.apartment_id = s.apartment_id
        ) + (
            SELECT count(DISTINCT b.import_id) + count(v.bill_id) + count(i.bill_id)
            FROM billing.bills b
            LEFT JOIN billing.bill_voids v
                ON v.bill_id = b.bill_id AND v.operator NOT LIKE 'migration %'
            LEFT JOIN billing.bill_reinstatements i ON i.bill_id = b.bill_id
            WHERE b.apartment_id = s.apartment_id
        ) + (
            SELECT count(*) + count(l.ended_at) FROM billing.residencies l
            WHERE l.apartment_id = s.apartment_id
        ) AS changes
) c
WHERE s.version < 1 + c.changes

UNION ALL
SELECT
    'version_only_grows', s.apartment_id::text,
    format('version %s, and %s when it was last checked', s.version, c.version), s.apartment_id
FROM billing.apartment_state s
INNER JOIN billing.apartment_checks c ON c.apartment_id = s.apartment_id
WHERE s.version < c.version

UNION ALL
SELECT
    'history_only_grows', s.apartment_id::text,
    format('%s events, and %s when it was last checked', s.last_seq, c.last_seq), s.apartment_id
FROM billing.apartment_state s
INNER JOIN billing.apartment_checks c ON c.apartment_id = s.apartment_id
WHERE s.last_seq < c.last_seq

UNION ALL
SELECT
    'bills_change_with_the_version', s.apartment_id::text,
    format('other bills than when version %s was last checked', s.version), s.apartment_id
FROM billing.apartment_state s
INNER JOIN billing.apartment_checks c ON c.apartment_id = s.apartment_id
WHERE s.version = c.version AND c.content <> '' AND c.content <> billing.content_of(s.apartment_id)

UNION ALL
SELECT
    'residency_is_of_a_resident', l.apartment_id || '/' || l.resident_id, 'no such resident',
    l.apartment_id
FROM billing.residencies l
LEFT JOIN billing.residents r ON r.resident_id = l.resident_id
WHERE r.resident_id IS NULL

UNION ALL
SELECT
    -- Names have another collation than texts, and a view keeps the one that it was made with.
    'rules_are_enforced', subject COLLATE "default", 'the trigger is switched off',
    '00000000-0000-0000-0000-000000000000'::uuid
FROM (
    SELECT c.relname || '/' || t.tgname AS subject
    FROM pg_trigger t
    INNER JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'billing'::regnamespace AND t.tgenabled NOT IN ('O', 'A')
) switched_off;

COMMENT ON VIEW billing.apartment_violations IS 'Contradictions in apartments and residencies.';
