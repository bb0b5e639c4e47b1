-- Days in the deployment's time zone.

-- Takes no lock.
CREATE OR REPLACE FUNCTION api.day_of(p_at timestamptz) RETURNS TABLE (day date, time_zone text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT billing.local_time(p_at)::date, d.time_zone FROM billing.deployment d;
END
$$;
COMMENT ON FUNCTION api.day_of(timestamptz) IS
    'The day that an instant belongs to, and the time zone in which the deployment counts days.';

-- Takes no lock.
CREATE OR REPLACE FUNCTION api.day_begins(p_day date) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
    SELECT billing.day_begins(p_day)
$$;
COMMENT ON FUNCTION api.day_begins(date) IS 'The first instant of a day of the deployment.';
