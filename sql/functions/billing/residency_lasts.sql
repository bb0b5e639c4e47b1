-- Whether the resident has the apartment, or will have it: a residency that has not ended.

CREATE OR REPLACE FUNCTION billing.residency_lasts(p_resident uuid, p_apartment uuid)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM billing.residencies
        WHERE resident_id = p_resident AND apartment_id = p_apartment AND ended_at IS NULL
    );
END
$$;
COMMENT ON FUNCTION billing.residency_lasts(uuid, uuid) IS
    'Whether there is a residency, begun or to begin, that has not ended.';
