-- Events of an apartment from position p_first on, without those in [p_known_first, p_known_end),
-- in order, at most p_limit + 1: the one too many tells that there is more. Two ranges of the
-- primary key, each cut at the limit, so the cost depends on the page and not on what the client
-- has already. ROWS is low on purpose: callers look a page's lines up one by one, however much the
-- planner fears.

CREATE OR REPLACE FUNCTION billing.history_page(
    p_apartment uuid, p_first bigint, p_known_first bigint, p_known_end bigint, p_limit integer
) RETURNS SETOF billing.history
LANGUAGE plpgsql STABLE ROWS 50 AS $$
BEGIN
    RETURN QUERY
    SELECT * FROM (
        (
            SELECT * FROM billing.history
            WHERE apartment_id = p_apartment AND seq >= p_first AND seq < p_known_first
            ORDER BY seq LIMIT p_limit + 1
        )
        UNION ALL
        (
            SELECT * FROM billing.history
            WHERE apartment_id = p_apartment
                AND seq >= greatest(p_first, p_known_first, p_known_end)
            ORDER BY seq LIMIT p_limit + 1
        )
    ) page
    ORDER BY seq LIMIT p_limit + 1;
END
$$;
COMMENT ON FUNCTION billing.history_page(uuid, bigint, bigint, bigint, integer) IS
    'A page of an apartment''s history, leaving out a range that the client has.';
