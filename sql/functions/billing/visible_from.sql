-- The one place that says whether a resident may act for an apartment now. Answers since when,
-- which is also where the history that they may see begins; null when they may not.

CREATE OR REPLACE FUNCTION billing.visible_from(p_resident uuid, p_apartment uuid)
RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT since FROM billing.residencies
    WHERE resident_id = p_resident AND apartment_id = p_apartment
        AND ended_at IS NULL AND since <= clock_timestamp()
$$;
COMMENT ON FUNCTION billing.visible_from(uuid, uuid) IS
    'Since when the resident may act for the apartment; null when they may not now.';
