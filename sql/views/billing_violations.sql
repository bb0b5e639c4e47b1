-- Constraints and triggers make each of these impossible; the view finds what got past them, for
-- example through a restore, a superuser or a bug in a rule. Tests read it after every scenario,
-- and the reconciliation on a schedule. It reads whole tables: never query it per request.

CREATE OR REPLACE VIEW billing.billing_violations (rule, subject, detail) AS

SELECT 'bill_has_one_state', bill_id::text, 'not exactly one of open, settled, void, replaced'
FROM billing.bill_states
WHERE state = 'broken'

UNION ALL
SELECT 'open_bill_is_as_billed', o.bill_id::text, 'open row differs from the bill'
FROM billing.open_bills o
LEFT JOIN billing.bills b USING (bill_id)
WHERE (o.apartment_id, o.amount_minor, o.currency)
    IS DISTINCT FROM (b.apartment_id, b.amount_minor, b.currency)

UNION ALL
SELECT 'line_is_as_billed', l.payment_id || '/' || l.bill_id, 'line differs from the bill'
FROM billing.payment_lines l
LEFT JOIN billing.bills b USING (bill_id)
WHERE (l.apartment_id, l.amount_minor, l.currency) IS DISTINCT FROM
        (b.apartment_id, b.amount_minor, b.currency)
    OR (l.utility, l.provider_id, l.period_from, l.period_to) IS DISTINCT FROM
        (b.utility, b.provider_id, b.period_from, b.period_to)

UNION ALL
SELECT 'line_is_of_its_payment', l.payment_id || '/' || l.bill_id, 'line differs from the payment'
FROM billing.payment_lines l
LEFT JOIN billing.payments p USING (payment_id)
WHERE (l.apartment_id, l.currency) IS DISTINCT FROM (p.apartment_id, p.currency)

UNION ALL
SELECT
    'payment_is_the_sum_of_its_lines', p.payment_id::text,
    format('total %s, lines %s', p.total_minor, coalesce(l.total_minor, 0))
FROM billing.payments p
LEFT JOIN (
    SELECT payment_id, sum(amount_minor) AS total_minor
    FROM billing.payment_lines
    GROUP BY payment_id
) l USING (payment_id)
WHERE p.total_minor IS DISTINCT FROM l.total_minor

UNION ALL
SELECT 'payment_answers_a_request', p.payment_id::text, 'no request has this payment as its answer'
FROM billing.payments p
LEFT JOIN billing.payment_requests q USING (payment_id)
WHERE q.payment_id IS NULL

UNION ALL
SELECT
    'bill_is_settled_by_its_live_line', l.payment_id || '/' || l.bill_id,
    CASE WHEN r.payment_id IS NULL THEN 'payment is not reversed, bill is not settled by it'
        ELSE 'payment is reversed, bill still settled by it' END
FROM billing.payment_lines l
LEFT JOIN billing.reversals r USING (payment_id)
LEFT JOIN billing.settled_bills s USING (payment_id, bill_id)
WHERE (r.payment_id IS NULL) <> (s.bill_id IS NOT NULL)

UNION ALL
SELECT 'settled_bill_has_a_line', s.payment_id || '/' || s.bill_id, 'no such line'
FROM billing.settled_bills s
LEFT JOIN billing.payment_lines l USING (payment_id, bill_id, apartment_id)
WHERE l.bill_id IS NULL

UNION ALL
SELECT
    'line_is_in_the_history', l.payment_id || '/' || l.bill_id,
    format('%s payment and %s reversal events', count(h.event) FILTER (WHERE h.event = 'payment'),
        count(h.event) FILTER (WHERE h.event = 'reversal'))
FROM billing.payment_lines l
LEFT JOIN billing.reversals r USING (payment_id)
LEFT JOIN billing.history h USING (payment_id, bill_id)
GROUP BY l.payment_id, l.bill_id, r.payment_id
HAVING count(h.event) FILTER (WHERE h.event = 'payment') <> 1
    OR count(h.event) FILTER (WHERE h.event = 'reversal') <> num_nonnulls(r.payment_id)

UNION ALL
SELECT 'event_is_of_a_line', h.apartment_id || '/' || h.seq, 'no such line in this apartment'
FROM billing.history h
LEFT JOIN billing.payment_lines l USING (payment_id, bill_id, apartment_id)
WHERE l.bill_id IS NULL

UNION ALL
SELECT
    'history_follows_without_gap', apartment_id || '/' || seq,
    'gap, or an instant that does not grow'
FROM (
    SELECT
        apartment_id, seq, posted_at,
        lag(seq, 1, 0::bigint) OVER one_by_one AS previous_seq,
        lag(posted_at) OVER one_by_one AS previous_posted_at
    FROM billing.history
    WINDOW one_by_one AS (PARTITION BY apartment_id ORDER BY seq)
) h
WHERE seq <> previous_seq + 1 OR posted_at <= previous_posted_at

UNION ALL
SELECT
    'apartment_state_is_the_head', a.apartment_id::text,
    format('state %s, history %s', coalesce(s.last_seq::text, 'missing'), coalesce(h.last_seq, 0))
FROM billing.apartments a
LEFT JOIN billing.apartment_state s USING (apartment_id)
LEFT JOIN (
    SELECT apartment_id, max(seq) AS last_seq, max(posted_at) AS last_posted_at
    FROM billing.history
    GROUP BY apartment_id
) h USING (apartment_id)
WHERE s.last_seq IS DISTINCT FROM coalesce(h.last_seq, 0)
    OR s.last_posted_at IS DISTINCT FROM h.last_posted_at

UNION ALL
SELECT
    'revisions_follow_without_gap',
    concat_ws('/', provider_id, provider_reference, utility, period_from, period_to),
    format('%s revisions, the last is number %s', count(*), max(revision))
FROM billing.bills
GROUP BY provider_id, provider_reference, utility, period_from, period_to
HAVING count(*) <> max(revision) OR count(replaces) <> count(*) - 1;

COMMENT ON VIEW billing.billing_violations IS
    'Contradictions in the ledger: empty while it is consistent. rule names what is broken, subject'
    ' the row, detail what was found.';
