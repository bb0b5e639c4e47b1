-- depends: 0005_history 0006_reply_queues
-- Rules that a plain constraint can't say. Their errors carry the name of the trigger where those of
-- a constraint carry its name.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- What is written once stays as it is -------------------------------------------------------------

CREATE FUNCTION billing.reject_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on billing.% is rejected: these rows never change', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation',
            SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
END
$$;
COMMENT ON FUNCTION billing.reject_change() IS 'Trigger: whatever it fires on does not happen.';

CREATE TRIGGER imports_are_immutable BEFORE UPDATE OR DELETE ON billing.imports
    FOR EACH ROW EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER imports_are_not_truncated BEFORE TRUNCATE ON billing.imports
    FOR EACH STATEMENT EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER bills_are_immutable BEFORE UPDATE OR DELETE ON billing.bills
    FOR EACH ROW EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER bills_are_not_truncated BEFORE TRUNCATE ON billing.bills
    FOR EACH STATEMENT EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER bill_voids_are_immutable BEFORE UPDATE OR DELETE ON billing.bill_voids
    FOR EACH ROW EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER bill_voids_are_not_truncated BEFORE TRUNCATE ON billing.bill_voids
    FOR EACH STATEMENT EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER payments_are_immutable BEFORE UPDATE OR DELETE ON billing.payments
    FOR EACH ROW EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER payments_are_not_truncated BEFORE TRUNCATE ON billing.payments
    FOR EACH STATEMENT EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER payment_lines_are_immutable BEFORE UPDATE OR DELETE ON billing.payment_lines
    FOR EACH ROW EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER payment_lines_are_not_truncated BEFORE TRUNCATE ON billing.payment_lines
    FOR EACH STATEMENT EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER payment_requests_are_immutable BEFORE UPDATE OR DELETE ON billing.payment_requests
    FOR EACH ROW EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER payment_requests_are_not_truncated BEFORE TRUNCATE ON billing.payment_requests
    FOR EACH STATEMENT EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER reversals_are_immutable BEFORE UPDATE OR DELETE ON billing.reversals
    FOR EACH ROW EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER reversals_are_not_truncated BEFORE TRUNCATE ON billing.reversals
    FOR EACH STATEMENT EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER history_is_immutable BEFORE UPDATE OR DELETE ON billing.history
    FOR EACH ROW EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER history_is_not_truncated BEFORE TRUNCATE ON billing.history
    FOR EACH STATEMENT EXECUTE FUNCTION billing.reject_change();

-- Rows of these two come and go, with the version raised; they are never edited.
CREATE TRIGGER open_bills_are_not_edited BEFORE UPDATE ON billing.open_bills
    FOR EACH ROW EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER open_bills_are_not_truncated BEFORE TRUNCATE ON billing.open_bills
    FOR EACH STATEMENT EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER settled_bills_are_not_edited BEFORE UPDATE ON billing.settled_bills
    FOR EACH ROW EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER settled_bills_are_not_truncated BEFORE TRUNCATE ON billing.settled_bills
    FOR EACH STATEMENT EXECUTE FUNCTION billing.reject_change();

CREATE TRIGGER apartment_state_is_kept BEFORE DELETE ON billing.apartment_state
    FOR EACH ROW EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER apartment_state_is_not_truncated BEFORE TRUNCATE ON billing.apartment_state
    FOR EACH STATEMENT EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER residencies_are_kept BEFORE DELETE ON billing.residencies
    FOR EACH ROW EXECUTE FUNCTION billing.reject_change();
CREATE TRIGGER residencies_are_not_truncated BEFORE TRUNCATE ON billing.residencies
    FOR EACH STATEMENT EXECUTE FUNCTION billing.reject_change();
-- A residency changes once: when it ends.
CREATE TRIGGER residency_only_ends BEFORE UPDATE ON billing.residencies
    FOR EACH ROW WHEN (
        OLD.ended_at IS NOT NULL
        OR (OLD.resident_id, OLD.apartment_id, OLD.since, OLD.granted_at)
            IS DISTINCT FROM (NEW.resident_id, NEW.apartment_id, NEW.since, NEW.granted_at)
    )
    EXECUTE FUNCTION billing.reject_change();

-- The version moves with every change, and by one -------------------------------------------------

CREATE FUNCTION billing.keep_version_in_step() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (
        NEW.apartment_id <> OLD.apartment_id
        OR NEW.version <> OLD.version + 1
        OR NEW.last_seq < OLD.last_seq
        OR (NEW.last_seq = OLD.last_seq)
            <> (NEW.last_posted_at IS NOT DISTINCT FROM OLD.last_posted_at)
        OR NEW.last_posted_at < OLD.last_posted_at
    ) THEN
        RAISE EXCEPTION 'The version of apartment % grows by one, its history only forward',
            OLD.apartment_id
            USING ERRCODE = 'integrity_constraint_violation',
                SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    NEW.changed_in := pg_current_xact_id();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION billing.keep_version_in_step() IS
    'Trigger: an apartment''s version moves by one, its history''s head only forward.';

CREATE TRIGGER version_grows_by_one BEFORE INSERT OR UPDATE ON billing.apartment_state
    FOR EACH ROW EXECUTE FUNCTION billing.keep_version_in_step();

CREATE FUNCTION billing.require_raised_version() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    changed uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.apartment_id ELSE NEW.apartment_id END;
BEGIN
    IF NOT EXISTS (
        SELECT FROM billing.apartment_state
        WHERE apartment_id = changed AND changed_in = pg_current_xact_id()
    ) THEN
        RAISE EXCEPTION '% on billing.% without raising the version of apartment %',
            TG_OP, TG_TABLE_NAME, changed
            USING ERRCODE = 'integrity_constraint_violation',
                SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION billing.require_raised_version() IS
    'Trigger: nothing of an apartment changes unless its version was raised in the same'
    ' transaction, which also means that its row is locked.';

CREATE TRIGGER open_bills_move_the_version AFTER INSERT OR DELETE ON billing.open_bills
    FOR EACH ROW EXECUTE FUNCTION billing.require_raised_version();
CREATE TRIGGER settled_bills_move_the_version AFTER INSERT OR DELETE ON billing.settled_bills
    FOR EACH ROW EXECUTE FUNCTION billing.require_raised_version();
CREATE TRIGGER residencies_move_the_version AFTER INSERT OR UPDATE ON billing.residencies
    FOR EACH ROW EXECUTE FUNCTION billing.require_raised_version();

-- A bill is owed, settled, void or replaced, and only one of these --------------------------------

-- Runs at commit, when the role that called the api function is the current one again (before
-- Postgres 18) and may read nothing: hence SECURITY DEFINER.
CREATE FUNCTION billing.require_one_state() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    changed uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.bill_id ELSE NEW.bill_id END;
    broken uuid := (
        SELECT bill_id FROM billing.bill_states WHERE bill_id = changed AND state = 'broken'
    );
BEGIN
    IF TG_TABLE_NAME = 'bills' AND broken IS NULL THEN
        SELECT bill_id INTO broken
        FROM billing.bill_states WHERE bill_id = NEW.replaces AND state = 'broken';
    END IF;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'Bill % would not be exactly one of open, settled, void, replaced', broken
            USING ERRCODE = 'integrity_constraint_violation',
                SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION billing.require_one_state() IS
    'Trigger, at commit: the bill, and the one it replaces, are in exactly one state'
    ' (billing.bill_states says which).';

CREATE CONSTRAINT TRIGGER bill_has_one_state AFTER INSERT ON billing.bills
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION billing.require_one_state();
CREATE CONSTRAINT TRIGGER open_bill_has_one_state AFTER INSERT OR DELETE ON billing.open_bills
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION billing.require_one_state();
CREATE CONSTRAINT TRIGGER settled_bill_has_one_state AFTER INSERT OR DELETE ON billing.settled_bills
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION billing.require_one_state();
CREATE CONSTRAINT TRIGGER void_bill_has_one_state AFTER INSERT ON billing.bill_voids
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION billing.require_one_state();

-- A payment is the sum of its lines ---------------------------------------------------------------

-- Runs at commit, when the role that called the api function is the current one again (before
-- Postgres 18) and may read nothing: hence SECURITY DEFINER.
CREATE FUNCTION billing.require_total_of_lines() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
BEGIN
    IF NEW.total_minor IS DISTINCT FROM (
        SELECT sum(amount_minor) FROM billing.payment_lines WHERE payment_id = NEW.payment_id
    ) THEN
        RAISE EXCEPTION 'The total of payment % is not the sum of its lines', NEW.payment_id
            USING ERRCODE = 'integrity_constraint_violation',
                SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION billing.require_total_of_lines() IS
    'Trigger, at commit: a new payment''s total is the sum of its lines, of which there are some.';

CREATE CONSTRAINT TRIGGER payment_is_the_sum_of_its_lines AFTER INSERT ON billing.payments
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION billing.require_total_of_lines();

-- At commit a payment equals its lines and amounts are positive, so a line that came later would
-- exceed the total. Once per statement: summing up for each of a thousand lines would be quadratic.
CREATE FUNCTION billing.require_lines_within_total() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM billing.payments p
        WHERE p.payment_id IN (SELECT payment_id FROM added)
            AND p.total_minor < (
                SELECT sum(amount_minor) FROM billing.payment_lines l
                WHERE l.payment_id = p.payment_id
            )
    ) THEN
        RAISE EXCEPTION 'These lines exceed the total of their payment'
            USING ERRCODE = 'integrity_constraint_violation',
                SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION billing.require_lines_within_total() IS
    'Trigger: no line is added to a payment that is complete.';

CREATE TRIGGER lines_stay_within_the_total AFTER INSERT ON billing.payment_lines
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION billing.require_lines_within_total();

-- History has no gap, and its instants grow -------------------------------------------------------

CREATE FUNCTION billing.require_next_position() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM billing.apartment_state s
        WHERE s.apartment_id = NEW.apartment_id
            AND s.last_seq >= NEW.seq AND s.last_posted_at >= NEW.posted_at
    ) OR NEW.seq > 1 AND (
        SELECT h.posted_at FROM billing.history h
        WHERE h.apartment_id = NEW.apartment_id AND h.seq = NEW.seq - 1
    ) < NEW.posted_at IS NOT TRUE THEN
        RAISE EXCEPTION 'Event % of apartment % does not follow the one before',
            NEW.seq, NEW.apartment_id
            USING ERRCODE = 'integrity_constraint_violation',
                SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION billing.require_next_position() IS
    'Trigger: an event stands one behind the event before it, later in time, and not beyond the'
    ' head that the apartment''s state names, which moves only with the version.';

CREATE TRIGGER history_follows_without_gap AFTER INSERT ON billing.history
    FOR EACH ROW EXECUTE FUNCTION billing.require_next_position();
