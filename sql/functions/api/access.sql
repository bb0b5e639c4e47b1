-- Residents, apartments, and who may act where.

-- Takes no lock. To strangers an apartment reads like one that does not exist.
CREATE OR REPLACE FUNCTION api.apartment_access(p_subject uuid, p_apartment uuid)
RETURNS TABLE (version bigint, visible_from timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT s.version, r.since
    FROM billing.residency_of(billing.resident_of(p_subject), p_apartment) r
    JOIN billing.apartment_state s ON s.apartment_id = r.apartment_id;
END
$$;
COMMENT ON FUNCTION api.apartment_access(uuid, uuid) IS
    'The apartment''s version, and since when the resident may see it; no row for strangers.';

-- Takes no lock.
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
                        jsonb_build_object(
                            'apartment_id', a.apartment_id,
                            'address', a.address,
                            'former', l.ended_at IS NOT NULL
                        )
                        ORDER BY l.ended_at IS NOT NULL, a.address, a.apartment_id
                    )
                    FROM (
                        SELECT DISTINCT apartment_id FROM billing.residencies
                        WHERE resident_id = r.resident_id
                    ) t
                    CROSS JOIN LATERAL billing.residency_of(r.resident_id, t.apartment_id) l
                    JOIN billing.apartments a ON a.apartment_id = l.apartment_id
                ),
                '[]'
            )
        )
        FROM billing.residents r WHERE r.subject = p_subject
    );
END
$$;
COMMENT ON FUNCTION api.resident_account(uuid) IS
    'Name and apartments of the resident behind a user, former ones last; null if there is none.';

-- Rejects with resident_exists and the resident, so that a repetition finds what the first call
-- added.
CREATE OR REPLACE FUNCTION api.add_resident(p_subject uuid, p_name text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    added uuid;
BEGIN
    INSERT INTO billing.residents (subject, name) VALUES (p_subject, p_name)
    ON CONFLICT ON CONSTRAINT resident_subject_is_unique DO NOTHING
    RETURNING resident_id INTO added;
    IF added IS NULL THEN
        RETURN billing.rejected('resident_exists', jsonb_build_object(
            'resident_id', billing.resident_of(p_subject), 'subject', p_subject,
            'name', (SELECT name FROM billing.residents WHERE subject = p_subject)
        ));
    END IF;
    RETURN billing.done(
        jsonb_build_object('resident_id', added, 'subject', p_subject, 'name', p_name)
    );
END
$$;
COMMENT ON FUNCTION api.add_resident(uuid, text) IS 'Adds the resident behind a user of Cognito.';

-- Rejects with apartment_exists if the id is that of another address.
CREATE OR REPLACE FUNCTION api.add_apartment(p_apartment uuid, p_address text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    is_new boolean;
BEGIN
    INSERT INTO billing.apartments (apartment_id, address) VALUES (p_apartment, p_address)
    ON CONFLICT ON CONSTRAINT apartments_pkey DO NOTHING;
    is_new := FOUND;
    IF is_new THEN
        INSERT INTO billing.apartment_state (apartment_id) VALUES (p_apartment);
    ELSIF p_address <> (SELECT address FROM billing.apartments WHERE apartment_id = p_apartment) THEN
        RETURN billing.rejected('apartment_exists');
    END IF;
    RETURN billing.done(jsonb_build_object(
        'apartment_id', p_apartment, 'address', p_address, 'is_new', is_new
    ));
END
$$;
COMMENT ON FUNCTION api.add_apartment(uuid, text) IS 'Adds an apartment, at version 1.';

-- The resident may act from p_since on and sees no history from before it; null is now, and after
-- every event that was posted so far. Locks the apartment. Rejects with resident_not_found,
-- apartment_not_found, residency_exists.
CREATE OR REPLACE FUNCTION api.grant_residency(
    p_subject uuid, p_apartment uuid, p_since timestamptz
)
RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    resident uuid := billing.resident_of(p_subject);
    rejection jsonb;
    begins timestamptz;
BEGIN
    PERFORM billing.lock_apartments(ARRAY[p_apartment]);
    rejection := billing.residency_rejection(resident, p_apartment);
    IF rejection IS NOT NULL THEN
        RETURN rejection;
    END IF;
    IF billing.has_residency(resident, p_apartment) THEN
        RETURN billing.rejected('residency_exists');
    END IF;
    PERFORM billing.bump_version(p_apartment);
    INSERT INTO billing.residencies (resident_id, apartment_id, since)
    VALUES (resident, p_apartment, coalesce(p_since, billing.next_instant(p_apartment)))
    RETURNING since INTO begins;
    RETURN billing.done(jsonb_build_object(
        'subject', p_subject, 'apartment_id', p_apartment, 'since', billing.instant(begins)
    ));
END
$$;
COMMENT ON FUNCTION api.grant_residency(uuid, uuid, timestamptz) IS
    'Lets a resident act for an apartment.';

-- Locks the apartment, so a payment is made before the end or after it. Rejects with
-- resident_not_found, apartment_not_found, residency_not_found.
-- p_by_mistake: it was never theirs, so it ends where it began and nothing of that time is theirs.
DROP FUNCTION IF EXISTS api.end_residency(uuid, uuid);
CREATE OR REPLACE FUNCTION api.end_residency(
    p_subject uuid, p_apartment uuid, p_by_mistake boolean DEFAULT false
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    resident uuid := billing.resident_of(p_subject);
    rejection jsonb;
    ended timestamptz;
BEGIN
    PERFORM billing.lock_apartments(ARRAY[p_apartment]);
    rejection := billing.residency_rejection(resident, p_apartment);
    IF rejection IS NOT NULL THEN
        RETURN rejection;
    END IF;
    IF NOT billing.has_residency(resident, p_apartment) THEN
        RETURN billing.rejected('residency_not_found');
    END IF;
    PERFORM billing.bump_version(p_apartment);
    -- A residency that has not begun ends at its beginning: it was never in force. No event that the
    -- resident saw is later than the end.
    UPDATE billing.residencies
    SET ended_at = CASE
        WHEN p_by_mistake THEN since ELSE greatest(since, billing.next_instant(p_apartment))
    END
    WHERE resident_id = resident AND apartment_id = p_apartment AND ended_at IS NULL
    RETURNING ended_at INTO ended;
    RETURN billing.done(jsonb_build_object(
        'subject', p_subject, 'apartment_id', p_apartment, 'ended_at', billing.instant(ended)
    ));
END
$$;
COMMENT ON FUNCTION api.end_residency(uuid, uuid, boolean) IS
    'Ends a residency, now; what the resident owes from that time stays theirs, unless it was a '
    'mistake.';
