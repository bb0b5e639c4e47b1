-- A provider as JSON.

CREATE OR REPLACE FUNCTION billing.provider(p_provider_id text, p_name text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('provider_id', p_provider_id, 'name', p_name)
$$;
COMMENT ON FUNCTION billing.provider(text, text) IS 'A provider as JSON: {"provider_id", "name"}.';
