-- Why an operator can't change this residency: resident_not_found, apartment_not_found; null if
-- both are there. Operators are told which of the two it is, residents never are.

CREATE OR REPLACE FUNCTION billing.residency_rejection(p_resident uuid, p_apartment uuid)
RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
    IF p_resident IS NULL THEN
        RETURN billing.rejected('resident_not_found', 'There is no such resident.');
    END IF;
    IF NOT EXISTS (SELECT FROM billing.apartments WHERE apartment_id = p_apartment) THEN
        RETURN billing.rejected('apartment_not_found', 'There is no such apartment.');
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION billing.residency_rejection(uuid, uuid) IS
    'The rejection for an unknown resident or apartment; null when both are known.';
