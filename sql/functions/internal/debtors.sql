-- Whose a debt is. Decision 0016 says why.

-- The residents who owe a bill for this period. They are those who lived in the apartment on the
-- last day of the period on which anybody did, or, if nobody did in the period, whoever was the
-- first to come after it. A residency that ended before it began never was.
CREATE OR REPLACE FUNCTION billing.debtors(p_apartment uuid, p_from date, p_to date)
RETURNS SETOF uuid
LANGUAGE plpgsql STABLE ROWS 2 AS $$
BEGIN
    RETURN QUERY
    SELECT r.resident_id
    FROM billing.residencies r
    CROSS JOIN LATERAL (
        SELECT
            billing.local_time(r.since)::date AS first_day,
            billing.local_time(
                coalesce(r.ended_at, 'infinity') - interval '1 microsecond'
            )::date AS last_day
    ) d
    WHERE r.apartment_id = p_apartment
        AND coalesce(r.ended_at, 'infinity') > r.since
        AND d.last_day >= p_from
    ORDER BY
        d.first_day > p_to,
        CASE WHEN d.first_day <= p_to THEN least(d.last_day, p_to) END DESC,
        CASE WHEN d.first_day > p_to THEN r.since END
    FETCH FIRST ROW WITH TIES;
END
$$;

-- Whether somebody who owes a bill for this period has the apartment and has not left it.
CREATE OR REPLACE FUNCTION billing.debtor_lives_there(p_apartment uuid, p_from date, p_to date)
RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM billing.debtors(p_apartment, p_from, p_to) AS d (resident_id)
        WHERE billing.has_residency(d.resident_id, p_apartment)
    );
END
$$;

-- Who owes a bill, as this resident sees it: you, former_resident, or null if they may not see it.
-- Who lives with somebody who owes it is counted in.
CREATE OR REPLACE FUNCTION billing.owed_by(
    p_resident uuid, p_apartment uuid, p_from date, p_to date
) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE
        WHEN p_resident IN (SELECT billing.debtors(p_apartment, p_from, p_to)) THEN 'you'
        WHEN NOT billing.lives_there(p_resident, p_apartment) THEN NULL
        WHEN billing.debtor_lives_there(p_apartment, p_from, p_to) THEN 'you'
        ELSE 'former_resident'
    END;
END
$$;
