-- The JSON that functions of the schema api return. The texts of messages live in Python.

CREATE OR REPLACE FUNCTION billing.done(p_data jsonb) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('status', 'done', 'data', p_data)
$$;

-- A rejection is a value and not an error: payments store it and return it again like a receipt.
CREATE OR REPLACE FUNCTION billing.rejected(p_code text, p_data jsonb DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('status', 'rejected', 'code', p_code, 'data', p_data)
$$;

-- UTC with microseconds, as everywhere in the service: 2026-11-22T10:00:00.000000Z.
CREATE OR REPLACE FUNCTION billing.instant(p_at timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- Both days are included.
CREATE OR REPLACE FUNCTION billing.period(p_from date, p_to date) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('from', p_from, 'to', p_to)
$$;

CREATE OR REPLACE FUNCTION billing.provider(p_provider_id text, p_name text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('provider_id', p_provider_id, 'name', p_name)
$$;
