-- The position of the first event posted at this instant or later; one behind the last when there
-- is none. Turns the instants of a sync's frame into positions with one look into an index.

CREATE OR REPLACE FUNCTION billing.position_at(p_apartment uuid, p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce(
        (
            SELECT seq FROM billing.history
            WHERE apartment_id = p_apartment AND posted_at >= p_at
            ORDER BY posted_at LIMIT 1
        ),
        (SELECT last_seq + 1 FROM billing.apartment_state WHERE apartment_id = p_apartment)
    );
END
$$;
COMMENT ON FUNCTION billing.position_at(uuid, timestamptz) IS
    'Position in the apartment''s history of the first event at or after an instant.';
