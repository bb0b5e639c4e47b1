-- The resident behind a user, with the apartments that they may act for now. Null when the user is
-- no resident. Takes no lock.

CREATE OR REPLACE FUNCTION api.resident_account(p_subject uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
BEGIN
    RETURN (
        SELECT jsonb_build_object(
            'resident_id', r.resident_id,
            'name', r.name,
            'apartments', coalesce(
                (
                    SELECT jsonb_agg(
                        jsonb_build_object('apartment_id', a.apartment_id, 'address', a.address)
                        ORDER BY a.address, a.apartment_id
                    )
                    FROM billing.residencies l
                    JOIN billing.apartments a ON a.apartment_id = l.apartment_id
                    WHERE l.resident_id = r.resident_id
                        AND l.ended_at IS NULL AND l.since <= clock_timestamp()
                ),
                '[]'
            )
        )
        FROM billing.residents r WHERE r.subject = p_subject
    );
END
$$;
COMMENT ON FUNCTION api.resident_account(uuid) IS
    'Name and apartments of the resident with this sub; null when there is none.';
