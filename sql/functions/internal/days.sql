-- Days: instants are UTC everywhere, and a day begins and ends in the deployment's time zone.

CREATE OR REPLACE FUNCTION billing.local_time(p_at timestamptz) RETURNS timestamp
LANGUAGE sql STABLE AS $$
    SELECT p_at AT TIME ZONE time_zone FROM billing.deployment
$$;

-- The first instant of a day, also where the clock jumps over midnight.
CREATE OR REPLACE FUNCTION billing.day_begins(p_day date) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT p_day::timestamp AT TIME ZONE time_zone FROM billing.deployment
$$;

-- The migration calls it. Raises invalid_parameter_value for a name that is not in the server's
-- time zone database: Postgres itself would take 'Kyiv+3' for an offset.
CREATE OR REPLACE FUNCTION billing.set_time_zone(p_time_zone text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_timezone_names WHERE name = p_time_zone) THEN
        RAISE EXCEPTION '% is not a time zone of the IANA database', p_time_zone
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE billing.deployment SET time_zone = p_time_zone WHERE time_zone <> p_time_zone;
    IF FOUND THEN
        -- Whose a debt is depends on days, and answers at the old version are cached.
        PERFORM billing.lock_apartments(ARRAY(SELECT apartment_id FROM billing.apartment_state));
        UPDATE billing.apartment_state SET version = version + 1;
    END IF;
END
$$;
