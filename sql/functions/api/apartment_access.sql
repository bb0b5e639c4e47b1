-- May this resident act for this apartment now, and at which version is it? One row if they may,
-- none if they may not: an apartment of others reads like one that does not exist. Takes no lock.

CREATE OR REPLACE FUNCTION api.apartment_access(p_subject uuid, p_apartment uuid)
RETURNS TABLE (version bigint, visible_from timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    seen_from timestamptz := billing.visible_from(billing.resident_of(p_subject), p_apartment);
BEGIN
    RETURN QUERY
    SELECT s.version, seen_from FROM billing.apartment_state s
    WHERE s.apartment_id = p_apartment AND seen_from IS NOT NULL;
END
$$;
COMMENT ON FUNCTION api.apartment_access(uuid, uuid) IS
    'Version of the apartment and start of what they may see; no row when they may not act.';
