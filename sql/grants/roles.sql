-- The application's roles may execute the functions of the schema api that are named here, and
-- nothing else; they have no right to any table. Applied after the functions on every migration, in
-- the same transaction.

REVOKE ALL ON SCHEMA billing, api FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA billing, api
    FROM PUBLIC, billing_writer, billing_reader, billing_operator;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA billing, api
    FROM PUBLIC, billing_writer, billing_reader, billing_operator;
-- Postgres lets everybody execute a new function by default.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA billing, api
    FROM PUBLIC, billing_writer, billing_reader, billing_operator;

-- Postgres lets everybody make temporary tables by default.
DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END
$$;

GRANT USAGE ON SCHEMA api TO billing_writer, billing_reader, billing_operator;

-- What a day is.
GRANT EXECUTE ON FUNCTION api.day_of(timestamptz)
TO billing_reader, billing_writer, billing_operator;

-- Login, debts, history.
GRANT EXECUTE ON FUNCTION
    api.resident_account(uuid),
    api.apartment_access(uuid, uuid),
    api.open_debts(uuid, uuid),
    api.settled_history(uuid, uuid, bigint, timestamptz, timestamptz, integer),
    api.register_reply_queue(text, uuid, interval)
TO billing_reader, billing_writer;

-- Payments and the sweeper.
GRANT EXECUTE ON FUNCTION
    api.pay(uuid, text, uuid, uuid[], bigint, boolean, timestamptz),
    api.adopt_reply_queues(text[], interval),
    api.expired_reply_queues(text[], integer),
    api.claim_reply_queue(text, interval),
    api.forget_reply_queue(text)
TO billing_writer;

-- Operators.
GRANT EXECUTE ON FUNCTION
    api.add_resident(uuid, text),
    api.add_apartment(uuid, text),
    api.add_provider(text, text),
    api.grant_residency(uuid, uuid, timestamptz),
    api.end_residency(uuid, uuid, boolean),
    api.issue_bills(jsonb),
    api.void_bill(uuid, text, text),
    api.reinstate_bill(uuid, text, text, boolean),
    api.reverse_payment(uuid, text, text),
    api.reconcile(date, date),
    api.day_begins(date),
    api.check_apartment(uuid),
    api.check_apartments(text, uuid, integer),
    api.check_progress()
TO billing_operator;

GRANT EXECUTE ON FUNCTION api.violations() TO billing_operator, billing_writer;
