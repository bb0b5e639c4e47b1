-- Contradictions in the history. sql/checks/violations.sql says how these views are read.

CREATE OR REPLACE VIEW billing.history_violations (rule, subject, detail, belongs_to) AS

SELECT
    'line_is_in_the_history', l.payment_id || '/' || l.bill_id,
    format('%s payment and %s reversal events', h.payments, h.reversals), p.apartment_id
FROM billing.payments p
INNER JOIN billing.payment_lines l ON l.payment_id = p.payment_id
LEFT JOIN billing.reversals r ON r.payment_id = p.payment_id
CROSS JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE e.event = 'payment') AS payments,
        count(*) FILTER (WHERE e.event = 'reversal') AS reversals
    FROM billing.history e
    WHERE e.payment_id = l.payment_id AND e.bill_id = l.bill_id
) h
WHERE h.payments <> 1 OR h.reversals <> num_nonnulls(r.payment_id)

UNION ALL
SELECT 'event_is_of_a_line', h.apartment_id || '/' || h.seq, 'no such line in this apartment',
    h.apartment_id
FROM billing.history h
LEFT JOIN billing.payment_lines l
    ON l.payment_id = h.payment_id AND l.bill_id = h.bill_id AND l.apartment_id = h.apartment_id
WHERE l.bill_id IS NULL

UNION ALL
SELECT
    'history_follows_without_gap', apartment_id || '/' || seq,
    'gap, or an instant that does not grow', apartment_id
FROM (
    SELECT
        apartment_id, seq, posted_at,
        lag(seq, 1, 0::bigint) OVER one_by_one AS previous_seq,
        lag(posted_at) OVER one_by_one AS previous_posted_at
    FROM billing.history
    WINDOW one_by_one AS (PARTITION BY apartment_id ORDER BY seq)
) h
WHERE seq <> previous_seq + 1 OR posted_at <= previous_posted_at

-- The lines of a payment, and those of its reversal, are posted at once: one position and one
-- microsecond after the other.
UNION ALL
SELECT 'events_are_posted_together', payment_id::text, format('%s of %s lines', event, count(*)),
    apartment_id
FROM billing.history
GROUP BY apartment_id, payment_id, event
HAVING max(seq) - min(seq) <> count(*) - 1
    OR max(posted_at) - min(posted_at) <> (count(*) - 1) * interval '1 microsecond'

UNION ALL
SELECT 'reversal_follows_its_payment', r.apartment_id || '/' || r.seq,
    format('its payment is event %s', p.seq), r.apartment_id
FROM billing.history r
INNER JOIN billing.history p
    ON p.payment_id = r.payment_id AND p.bill_id = r.bill_id AND p.event = 'payment'
WHERE r.event = 'reversal' AND p.seq >= r.seq

UNION ALL
SELECT 'payment_is_settled_at_its_first_event', p.payment_id::text,
    format('settled at %s, posted at %s', p.settled_at, h.posted_at), p.apartment_id
FROM billing.payments p
CROSS JOIN LATERAL (
    SELECT min(e.posted_at) AS posted_at FROM billing.history e
    WHERE e.payment_id = p.payment_id AND e.event = 'payment'
) h
WHERE p.settled_at <> h.posted_at

UNION ALL
SELECT 'payment_is_reversed_at_its_first_event', p.payment_id::text,
    format('reversed at %s, posted at %s', r.reversed_at, h.posted_at), p.apartment_id
FROM billing.payments p
INNER JOIN billing.reversals r ON r.payment_id = p.payment_id
CROSS JOIN LATERAL (
    SELECT min(e.posted_at) AS posted_at FROM billing.history e
    WHERE e.payment_id = p.payment_id AND e.event = 'reversal'
) h
WHERE r.reversed_at <> h.posted_at;

COMMENT ON VIEW billing.history_violations IS 'Contradictions in the history.';
