-- Lets a resident act for an apartment from p_since on (null: from now on), which is also where the
-- history that they see begins. Lock order: the apartment's row.
-- Answers: done; rejected with resident_not_found, apartment_not_found, residency_exists.

CREATE OR REPLACE FUNCTION api.grant_residency(
    p_subject uuid, p_apartment uuid, p_since timestamptz
)
RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    tenant uuid := billing.resident_of(p_subject);
    rejection jsonb;
    begins timestamptz;
BEGIN
    PERFORM billing.lock_apartments(ARRAY[p_apartment]);
    rejection := billing.residency_rejection(tenant, p_apartment);
    IF rejection IS NOT NULL THEN
        RETURN rejection;
    END IF;
    IF billing.residency_lasts(tenant, p_apartment) THEN
        RETURN billing.rejected('residency_exists', 'This resident has this apartment already.');
    END IF;
    PERFORM billing.raise_version(p_apartment);
    INSERT INTO billing.residencies (resident_id, apartment_id, since)
    VALUES (tenant, p_apartment, coalesce(p_since, clock_timestamp()))
    RETURNING since INTO begins;
    RETURN billing.done(jsonb_build_object(
        'subject', p_subject, 'apartment_id', p_apartment, 'since', billing.instant(begins)
    ));
END
$$;
COMMENT ON FUNCTION api.grant_residency(uuid, uuid, timestamptz) IS
    'Lets a resident act for an apartment.';
