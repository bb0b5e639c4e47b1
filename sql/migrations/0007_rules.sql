-- depends: 0005_history 0006_reply_queues
-- Rules that a plain constraint can't express. Their errors name the trigger where the error of a
-- constraint names the constraint.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE FUNCTION billing.raise_violation(p_trigger name, p_table name, p_message text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'integrity_constraint_violation', MESSAGE = p_message,
        SCHEMA = 'billing', TABLE = p_table, CONSTRAINT = p_trigger;
END
$$;

-- Rows are written once ---------------------------------------------------------------------------

CREATE FUNCTION billing.reject_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on billing.% is rejected: these rows never change', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation',
            SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
END
$$;

DO $$
DECLARE
    rule record;
BEGIN
    FOR rule IN
        SELECT * FROM (
            VALUES
            ('imports', 'UPDATE OR DELETE'),
            ('bills', 'UPDATE OR DELETE'),
            ('bill_voids', 'UPDATE OR DELETE'),
            ('payments', 'UPDATE OR DELETE'),
            ('payment_lines', 'UPDATE OR DELETE'),
            ('payment_requests', 'UPDATE OR DELETE'),
            ('reversals', 'UPDATE OR DELETE'),
            ('history', 'UPDATE OR DELETE'),
            -- Rows of these two are inserted and deleted, with a new version, but never updated.
            ('open_bills', 'UPDATE'),
            ('settled_bills', 'UPDATE'),
            ('apartment_state', 'DELETE'),
            ('residencies', 'DELETE')
        ) AS t (table_name, rejected)
    LOOP
        EXECUTE format(
            'CREATE TRIGGER %1$s_reject_changes BEFORE %2$s ON billing.%1$s'
            ' FOR EACH ROW EXECUTE FUNCTION billing.reject_change()',
            rule.table_name, rule.rejected
        );
        EXECUTE format(
            'CREATE TRIGGER %1$s_reject_truncate BEFORE TRUNCATE ON billing.%1$s'
            ' FOR EACH STATEMENT EXECUTE FUNCTION billing.reject_change()',
            rule.table_name
        );
    END LOOP;
END
$$;

-- A residency changes once: when it ends.
CREATE TRIGGER residency_only_ends BEFORE UPDATE ON billing.residencies
    FOR EACH ROW WHEN (
        OLD.ended_at IS NOT NULL
        OR (OLD.resident_id, OLD.apartment_id, OLD.since, OLD.granted_at)
            IS DISTINCT FROM (NEW.resident_id, NEW.apartment_id, NEW.since, NEW.granted_at)
    )
    EXECUTE FUNCTION billing.reject_change();

-- The version moves with every change, by one -----------------------------------------------------

-- An apartment's version grows by one; the head of its history only moves forward.
CREATE FUNCTION billing.check_version_step() RETURNS trigger
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
        PERFORM billing.raise_violation(TG_NAME, TG_TABLE_NAME, format(
            'The version of apartment %s grows by one, its history only forward', OLD.apartment_id
        ));
    END IF;
    NEW.changed_in := pg_current_xact_id();
    RETURN NEW;
END
$$;

CREATE TRIGGER version_grows_by_one BEFORE INSERT OR UPDATE ON billing.apartment_state
    FOR EACH ROW EXECUTE FUNCTION billing.check_version_step();

-- Nothing of an apartment changes unless the same transaction raised its version, which also means
-- that it holds the apartment's lock.
CREATE FUNCTION billing.require_version_bump() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    changed uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.apartment_id ELSE NEW.apartment_id END;
BEGIN
    IF NOT EXISTS (
        SELECT FROM billing.apartment_state
        WHERE apartment_id = changed AND changed_in = pg_current_xact_id()
    ) THEN
        PERFORM billing.raise_violation(TG_NAME, TG_TABLE_NAME, format(
            '%s without a new version of apartment %s', TG_OP, changed
        ));
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER open_bills_move_the_version AFTER INSERT OR DELETE ON billing.open_bills
    FOR EACH ROW EXECUTE FUNCTION billing.require_version_bump();
CREATE TRIGGER settled_bills_move_the_version AFTER INSERT OR DELETE ON billing.settled_bills
    FOR EACH ROW EXECUTE FUNCTION billing.require_version_bump();
CREATE TRIGGER residencies_move_the_version AFTER INSERT OR UPDATE ON billing.residencies
    FOR EACH ROW EXECUTE FUNCTION billing.require_version_bump();

-- Checked at commit -------------------------------------------------------------------------------
-- The functions of deferred triggers are SECURITY DEFINER: before Postgres 18 they run as the role
-- that called the api function, which may read nothing.

-- The bill, and the one that it replaces, are in exactly one state of billing.bill_states.
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
        PERFORM billing.raise_violation(TG_NAME, TG_TABLE_NAME, format(
            'Bill %s would not be exactly one of open, settled, void, replaced', broken
        ));
    END IF;
    RETURN NULL;
END
$$;

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

-- A new payment has lines, and its total is their sum.
CREATE FUNCTION billing.require_total_of_lines() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
BEGIN
    IF NEW.total_minor IS DISTINCT FROM (
        SELECT sum(amount_minor) FROM billing.payment_lines WHERE payment_id = NEW.payment_id
    ) THEN
        PERFORM billing.raise_violation(TG_NAME, TG_TABLE_NAME, format(
            'The total of payment %s is not the sum of its lines', NEW.payment_id
        ));
    END IF;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER payment_is_the_sum_of_its_lines AFTER INSERT ON billing.payments
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION billing.require_total_of_lines();

-- Checked at once ---------------------------------------------------------------------------------

-- At commit a payment equals its lines and amounts are positive, so a line added later would exceed
-- the total. Once per statement: a sum for each of a thousand lines would be quadratic.
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
        PERFORM billing.raise_violation(
            TG_NAME, TG_TABLE_NAME, 'These lines exceed the total of their payment'
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER lines_stay_within_the_total AFTER INSERT ON billing.payment_lines
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION billing.require_lines_within_total();

-- An event comes one position after the event before it and later in time, and not past the head in
-- the apartment's state, which moves only with the version.
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
        PERFORM billing.raise_violation(TG_NAME, TG_TABLE_NAME, format(
            'Event %s of apartment %s does not follow the one before', NEW.seq, NEW.apartment_id
        ));
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER history_follows_without_gap AFTER INSERT ON billing.history
    FOR EACH ROW EXECUTE FUNCTION billing.require_next_position();
