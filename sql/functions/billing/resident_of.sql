-- The resident whose user has this sub; null when there is none.

CREATE OR REPLACE FUNCTION billing.resident_of(p_subject uuid) RETURNS uuid
LANGUAGE sql STABLE AS $$
    SELECT resident_id FROM billing.residents WHERE subject = p_subject
$$;
COMMENT ON FUNCTION billing.resident_of(uuid) IS 'The resident whose user in Cognito has this sub.';
