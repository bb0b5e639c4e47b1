-- The answer of a function that did what it was asked for.

CREATE OR REPLACE FUNCTION billing.done(p_data jsonb) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('status', 'done', 'data', p_data)
$$;
COMMENT ON FUNCTION billing.done(jsonb) IS 'The answer {"status": "done", "data"}.';
