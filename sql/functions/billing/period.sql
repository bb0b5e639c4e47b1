-- A billing period as JSON, both days included.

CREATE OR REPLACE FUNCTION billing.period(p_from date, p_to date) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('from', p_from, 'to', p_to)
$$;
COMMENT ON FUNCTION billing.period(date, date) IS 'A billing period as JSON: {"from", "to"}.';
