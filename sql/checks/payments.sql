-- Contradictions in payments, their lines, requests and reversals. sql/checks/violations.sql says
-- how these views are read.

CREATE OR REPLACE VIEW billing.payment_violations (rule, subject, detail, belongs_to) AS

SELECT
    'payment_is_the_sum_of_its_lines', p.payment_id::text,
    format('total %s, lines %s', p.total_minor, coalesce(l.total_minor, 0)), p.apartment_id
FROM billing.payments p
CROSS JOIN LATERAL (
    SELECT sum(t.amount_minor) AS total_minor FROM billing.payment_lines t
    WHERE t.payment_id = p.payment_id
) l
WHERE p.total_minor IS DISTINCT FROM l.total_minor

UNION ALL
SELECT 'payment_answers_a_request', p.payment_id::text, 'no request has this payment as its answer',
    p.apartment_id
FROM billing.payments p
LEFT JOIN billing.payment_requests q ON q.payment_id = p.payment_id
WHERE q.payment_id IS NULL

UNION ALL
SELECT 'request_is_of_the_payer', p.payment_id::text, format('asked for by %s', q.resident_id),
    p.apartment_id
FROM billing.payments p
INNER JOIN billing.payment_requests q ON q.payment_id = p.payment_id
WHERE q.resident_id <> p.resident_id

-- A request names the total that the payer expects, or none.
UNION ALL
SELECT 'request_is_what_was_paid', p.payment_id::text, 'another request has this fingerprint',
    p.apartment_id
FROM billing.payments p
INNER JOIN billing.payment_requests q ON q.payment_id = p.payment_id
CROSS JOIN LATERAL (
    SELECT array_agg(t.bill_id ORDER BY t.bill_id) AS bill_set FROM billing.payment_lines t
    WHERE t.payment_id = p.payment_id
) l
WHERE q.fingerprint <> billing.request_fingerprint(p.apartment_id, l.bill_set, p.total_minor)
    AND q.fingerprint <> billing.request_fingerprint(p.apartment_id, l.bill_set, NULL)

UNION ALL
SELECT 'request_has_its_payment', q.resident_id || '/' || q.request_key, 'no such payment',
    q.resident_id
FROM billing.payment_requests q
LEFT JOIN billing.payments p ON p.payment_id = q.payment_id
WHERE q.payment_id IS NOT NULL AND p.payment_id IS NULL

UNION ALL
SELECT 'request_is_by_a_resident', q.resident_id || '/' || q.request_key, 'no such resident',
    q.resident_id
FROM billing.payment_requests q
LEFT JOIN billing.residents r ON r.resident_id = q.resident_id
WHERE r.resident_id IS NULL

-- It may have ended before the payment: who has moved out pays what is left.
UNION ALL
SELECT 'payer_had_the_apartment', p.payment_id::text,
    format('no residency of %s began before', p.resident_id), p.apartment_id
FROM billing.payments p
WHERE NOT EXISTS (
    SELECT FROM billing.residencies l
    WHERE l.resident_id = p.resident_id AND l.apartment_id = p.apartment_id
        AND l.since <= p.settled_at
)

-- The year is that of the day in the deployment's time zone.
UNION ALL
SELECT 'receipt_number_was_drawn', p.payment_id::text, p.receipt_number, p.apartment_id
FROM billing.payments p
CROSS JOIN billing.receipt_numbers n
WHERE right(p.receipt_number, 10) > lpad(n.last_value::text, 10, '0')
    OR substr(p.receipt_number, 3, 4) NOT IN (
        to_char(p.settled_at AT TIME ZONE 'UTC' - interval '1 day', 'YYYY'),
        to_char(p.settled_at AT TIME ZONE 'UTC' + interval '1 day', 'YYYY')
    )

UNION ALL
SELECT 'line_is_as_billed', l.payment_id || '/' || l.bill_id, 'line differs from the bill',
    p.apartment_id
FROM billing.payments p
INNER JOIN billing.payment_lines l ON l.payment_id = p.payment_id
LEFT JOIN billing.bills b ON b.bill_id = l.bill_id
WHERE (l.apartment_id, l.amount_minor, l.currency) IS DISTINCT FROM
        (b.apartment_id, b.amount_minor, b.currency)
    OR (l.utility, l.provider_id, l.period_from, l.period_to) IS DISTINCT FROM
        (b.utility, b.provider_id, b.period_from, b.period_to)

UNION ALL
SELECT 'line_is_of_its_payment', l.payment_id || '/' || l.bill_id, 'line differs from the payment',
    p.apartment_id
FROM billing.payments p
INNER JOIN billing.payment_lines l ON l.payment_id = p.payment_id
WHERE (l.apartment_id, l.currency) <> (p.apartment_id, p.currency)

UNION ALL
SELECT 'line_has_its_payment', l.payment_id || '/' || l.bill_id, 'no such payment', l.payment_id
FROM billing.payment_lines l
LEFT JOIN billing.payments p ON p.payment_id = l.payment_id
WHERE p.payment_id IS NULL

UNION ALL
SELECT
    'bill_is_settled_by_its_live_line', l.payment_id || '/' || l.bill_id,
    CASE WHEN r.payment_id IS NULL THEN 'payment is not reversed, bill is not settled by it'
        ELSE 'payment is reversed, bill still settled by it' END,
    p.apartment_id
FROM billing.payments p
INNER JOIN billing.payment_lines l ON l.payment_id = p.payment_id
LEFT JOIN billing.reversals r ON r.payment_id = l.payment_id
LEFT JOIN billing.settled_bills s ON s.bill_id = l.bill_id AND s.payment_id = l.payment_id
WHERE (r.payment_id IS NULL) <> (s.bill_id IS NOT NULL)

UNION ALL
SELECT 'settled_bill_has_a_line', s.payment_id || '/' || s.bill_id, 'no such line', s.bill_id
FROM billing.settled_bills s
LEFT JOIN billing.payment_lines l
    ON l.payment_id = s.payment_id AND l.bill_id = s.bill_id AND l.apartment_id = s.apartment_id
WHERE l.bill_id IS NULL

UNION ALL
SELECT 'reversal_is_of_a_payment', r.payment_id::text, 'no such payment', r.payment_id
FROM billing.reversals r
LEFT JOIN billing.payments p ON p.payment_id = r.payment_id
WHERE p.payment_id IS NULL;

COMMENT ON VIEW billing.payment_violations IS
    'Contradictions in payments, their lines, requests and reversals.';
