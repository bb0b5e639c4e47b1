-- %(apartments)s apartments with twenty bills each: fifteen settled by five payments, one settled and
-- reversed, three more open, one void. Inserted with constraints and triggers switched off, since the
-- functions would take minutes; the ledger is consistent all the same. Ids are numbers in order, which
-- keeps the indexes quick to build.

BEGIN;
SET LOCAL session_replication_role = replica;

CREATE FUNCTION pg_temp.id(number bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$ SELECT lpad(to_hex(number), 32, '0')::uuid $$;

CREATE TEMPORARY TABLE flat ON COMMIT DROP AS
SELECT n, pg_temp.id(n) AS id FROM generate_series(1, %(apartments)s) AS n;

-- One row per bill: place 0 to 19. Places 0 to 14 are settled, three by each payment.
CREATE TEMPORARY TABLE charge ON COMMIT DROP AS
SELECT
    flat.id, place, pg_temp.id(n * 20 + place) AS bill,
    n * 6 + place / 3 AS payment_number, pg_temp.id(n * 6 + place / 3) AS payment,
    timestamptz '2026-01-01Z' + n * interval '1 second' + place / 3 * interval '1 day'
        + mod(place, 3) * interval '1 microsecond' AS posted_at
FROM flat CROSS JOIN generate_series(0, 19) AS place;

INSERT INTO billing.providers (provider_id, name) VALUES ('northgas', 'North Gas');
INSERT INTO billing.imports (import_id, file_name, sha256)
VALUES (pg_temp.id(0), 'many.csv', repeat('0', 64));
INSERT INTO billing.residents (resident_id, subject, name) SELECT id, id, 'Resident ' || n FROM flat;
INSERT INTO billing.apartments (apartment_id, address) SELECT id, 'Flat ' || n FROM flat;
INSERT INTO billing.apartment_state (apartment_id, version, last_seq, last_posted_at)
SELECT id, 21, 17, posted_at + interval '1 hour' FROM charge WHERE place = 15;
INSERT INTO billing.residencies (resident_id, apartment_id, since) SELECT id, id, '2020-01-01Z' FROM flat;

INSERT INTO billing.bills
    (bill_id, apartment_id, utility, provider_id, provider_reference, revision, period_from,
        period_to, due_on, amount_minor, currency, import_id)
SELECT bill, id, 'gas', 'northgas', bill::text, 1, '2026-01-01', '2026-01-31', '2026-02-15',
    100, 'EUR', pg_temp.id(0)
FROM charge;
INSERT INTO billing.open_bills (bill_id, apartment_id, amount_minor, currency)
SELECT bill, id, 100, 'EUR' FROM charge WHERE place BETWEEN 15 AND 18;
INSERT INTO billing.bill_voids (bill_id, reason, operator, voided_at)
SELECT bill, 'sent in error', 'olga', posted_at FROM charge WHERE place = 19;

INSERT INTO billing.payments
    (payment_id, receipt_number, resident_id, apartment_id, total_minor, currency, settled_at)
SELECT payment, 'R-2026-' || lpad(payment_number::text, 10, '0'), id, id,
    CASE place WHEN 15 THEN 100 ELSE 300 END, 'EUR', posted_at
FROM charge WHERE place IN (0, 3, 6, 9, 12, 15);
INSERT INTO billing.payment_requests (resident_id, request_key, fingerprint, payment_id, answered_at)
SELECT id, payment::text, billing.request_fingerprint(id, array_agg(bill ORDER BY bill), NULL), payment,
    min(posted_at)
FROM charge WHERE place <= 15 GROUP BY id, payment;
INSERT INTO billing.payment_lines
    (payment_id, bill_id, apartment_id, amount_minor, currency, utility, provider_id, provider_name,
        period_from, period_to)
SELECT payment, bill, id, 100, 'EUR', 'gas', 'northgas', 'North Gas', '2026-01-01', '2026-01-31'
FROM charge WHERE place <= 15;
INSERT INTO billing.settled_bills (bill_id, payment_id, apartment_id)
SELECT bill, payment, id FROM charge WHERE place <= 14;
INSERT INTO billing.reversals (payment_id, reason, operator, reversed_at)
SELECT payment, 'paid twice', 'olga', posted_at + interval '1 hour' FROM charge WHERE place = 15;
INSERT INTO billing.history (apartment_id, seq, posted_at, event, payment_id, bill_id)
SELECT id, place + 1, posted_at, 'payment', payment, bill FROM charge WHERE place <= 15;
INSERT INTO billing.history (apartment_id, seq, posted_at, event, payment_id, bill_id)
SELECT id, 17, posted_at + interval '1 hour', 'reversal', payment, bill FROM charge WHERE place = 15;

-- Nothing was checked yet.
INSERT INTO billing.apartment_checks (apartment_id, version, last_seq, checked_at, agrees)
SELECT id, 0, 0, now(), false FROM flat;

-- The numbers used above must not be used again.
SELECT setval('billing.receipt_numbers', %(apartments)s * 6 + 6);
COMMIT;
