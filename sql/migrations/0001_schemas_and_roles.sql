-- Schemas, and the roles that the service connects as.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA billing;
COMMENT ON SCHEMA billing IS
    'Tables and internal functions. Only their owner, the migrator, may use them.';

CREATE SCHEMA api;
COMMENT ON SCHEMA api IS
    'The public interface: functions that run with their owner''s rights.';

-- Roles belong to the server, so another database on it may have created them already, or be doing
-- so right now. They get LOGIN once the migrator is given a password for them.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['billing_writer', 'billing_reader', 'billing_operator'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                RAISE NOTICE 'role % was created by another database meanwhile', role_name;
            END;
        END IF;
    END LOOP;
END
$$;
