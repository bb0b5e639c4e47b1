-- Schemas, and the roles that the service connects as.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA billing;
COMMENT ON SCHEMA billing IS
    'The books. Owned by the migrator; no other role may touch a table here.';

CREATE SCHEMA api;
COMMENT ON SCHEMA api IS
    'The only door to the books: functions that run with their owner''s rights.';

-- Roles belong to the whole cluster while databases are many, so another database may have made
-- them already, or be making them at this moment: both are fine. They get LOGIN and a password when
-- the migrator is given one; until then nobody can connect as them.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['billing_writer', 'billing_reader', 'billing_operator'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                RAISE NOTICE 'role % was made by another database meanwhile', role_name;
            END;
        END IF;
    END LOOP;
END
$$;
