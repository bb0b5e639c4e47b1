-- Ends a resident's right to act for an apartment, now. Lock order: the apartment's row, so a
-- payment is made either before the end or not at all.
-- Answers: done; rejected with resident_not_found, apartment_not_found, residency_not_found.

CREATE OR REPLACE FUNCTION api.end_residency(p_subject uuid, p_apartment uuid) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    tenant uuid := billing.resident_of(p_subject);
    rejection jsonb;
    ended timestamptz;
BEGIN
    PERFORM billing.lock_apartments(ARRAY[p_apartment]);
    rejection := billing.residency_rejection(tenant, p_apartment);
    IF rejection IS NOT NULL THEN
        RETURN rejection;
    END IF;
    IF NOT billing.residency_lasts(tenant, p_apartment) THEN
        RETURN billing.rejected(
            'residency_not_found', 'This resident does not have this apartment.'
        );
    END IF;
    PERFORM billing.raise_version(p_apartment);
    -- One that was to begin later ends where it would have begun: it never was in force.
    UPDATE billing.residencies SET ended_at = greatest(since, clock_timestamp())
    WHERE resident_id = tenant AND apartment_id = p_apartment AND ended_at IS NULL
    RETURNING ended_at INTO ended;
    RETURN billing.done(jsonb_build_object(
        'subject', p_subject, 'apartment_id', p_apartment, 'ended_at', billing.instant(ended)
    ));
END
$$;
COMMENT ON FUNCTION api.end_residency(uuid, uuid) IS
    'Ends a resident''s right to act for an apartment.';
