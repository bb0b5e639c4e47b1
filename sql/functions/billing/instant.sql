-- An instant as the service writes it everywhere: UTC with microseconds,
-- 2026-11-22T10:00:00.000000Z.

CREATE OR REPLACE FUNCTION billing.instant(p_at timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
COMMENT ON FUNCTION billing.instant(timestamptz) IS
    'The instant in UTC with microseconds, as text.';
