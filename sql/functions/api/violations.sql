-- The contradictions in the books: no row whenever they are right. Reads whole tables. Takes no
-- lock.

CREATE OR REPLACE FUNCTION api.violations() RETURNS TABLE (rule text, subject text, detail text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT v.rule, v.subject, v.detail FROM billing.billing_violations v;
END
$$;
COMMENT ON FUNCTION api.violations() IS
    'The contradictions in the books, none when they are right.';
