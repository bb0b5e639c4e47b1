-- A month in one apartment: an import, a payment sent twice, a rejection, a reversal.
--
-- Run it on an empty database as its owner, after `billing-admin migrate`:
--   psql --no-psqlrc --echo-all --file sql/examples/pay.sql "$DATABASE_URL"
-- pay.out is its output with ids and times made equal; a test compares them.

\pset format unaligned
\pset tuples_only on
\set ON_ERROR_STOP on

-- What is posted can't be deleted, so an example must not meet a ledger that is in use.
DO $$
BEGIN
    IF EXISTS (SELECT FROM billing.apartments) THEN
        RAISE EXCEPTION 'Run the example on an empty database.';
    END IF;
END
$$;

-- An operator adds a resident, their apartment and a provider.
SELECT api.add_resident('11111111-1111-1111-1111-111111111111', 'Ines Vega');
SELECT api.add_apartment('22222222-2222-2222-2222-222222222222', '7 Canal Street');
SELECT api.grant_residency(
    '11111111-1111-1111-1111-111111111111', '22222222-2222-2222-2222-222222222222', '2026-01-01Z'
);
SELECT api.add_provider('northgas', 'North Gas');

-- The provider's file has one good line and one for an unknown utility.
SELECT jsonb_pretty(api.issue_bills('{
    "import_id": "33333333-3333-3333-3333-333333333333",
    "file_name": "october.csv",
    "sha256": "cafe0000cafe0000cafe0000cafe0000cafe0000cafe0000cafe0000cafe0000",
    "lines": [
        {"line": 2, "apartment_id": "22222222-2222-2222-2222-222222222222", "utility": "gas",
            "provider_id": "northgas", "provider_reference": "A-1",
            "period_from": "2026-10-01", "period_to": "2026-10-31", "due_on": "2026-11-15",
            "amount_minor": 5140, "currency": "EUR"},
        {"line": 3, "apartment_id": "22222222-2222-2222-2222-222222222222", "utility": "coal",
            "provider_id": "northgas", "provider_reference": "A-2",
            "period_from": "2026-10-01", "period_to": "2026-10-31", "due_on": "2026-11-15",
            "amount_minor": 900, "currency": "EUR"}
    ]
}'));

-- The resident sees what they owe.
SELECT owed.debt -> 'bill_id' AS bill, owed.debt -> 'amount_minor' AS amount_minor
FROM jsonb_array_elements(
    api.open_debts('11111111-1111-1111-1111-111111111111', '22222222-2222-2222-2222-222222222222')
    -> 'debts'
) owed (debt);

-- They pay it. The message is delivered twice: the second answer is the first one.
PREPARE pay (text) AS
SELECT jsonb_pretty(api.pay(
    '11111111-1111-1111-1111-111111111111', $1, '22222222-2222-2222-2222-222222222222',
    (SELECT array_agg(bill_id) FROM billing.bills), 5140
));
EXECUTE pay ('november');
EXECUTE pay ('november');

-- With another key it is another payment, and the bill is paid already.
EXECUTE pay ('december');

-- The operator reverses the payment. The history keeps both events.
SELECT jsonb_pretty(api.reverse_payment(payment_id, 'paid twice', 'olga')) FROM billing.payments;
SELECT seq, event, bill_id, posted_at FROM billing.history
ORDER BY seq;

-- Each change moved the version of the apartment by one, and the ledger has no contradiction.
SELECT version, last_seq FROM billing.apartment_state;
SELECT count(*) FROM api.violations();
