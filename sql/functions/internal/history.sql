-- The history of an apartment: writing its events, and reading a page of them.

-- When the next event is posted: now, but later than the event before it. The caller holds the
-- apartment's lock. A time taken before the lock could place an event behind one that readers have
-- already seen, and a sync would miss it for ever.
CREATE OR REPLACE FUNCTION billing.next_instant(p_apartment uuid) RETURNS timestamptz
LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT greatest(clock_timestamp(), last_posted_at + interval '1 microsecond')
        FROM billing.apartment_state WHERE apartment_id = p_apartment
    );
END
$$;

-- Appends one event per line of the payment, a microsecond apart from p_from on, and adds one to
-- the apartment's version for all of them. The caller holds the apartment's lock and has p_from
-- from billing.next_instant.
CREATE OR REPLACE FUNCTION billing.append_history(p_event text, p_payment uuid, p_from timestamptz)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    apartment uuid := (SELECT apartment_id FROM billing.payments WHERE payment_id = p_payment);
    events bigint := (SELECT count(*) FROM billing.payment_lines WHERE payment_id = p_payment);
    head bigint;
BEGIN
    UPDATE billing.apartment_state
    SET version = version + 1,
        last_seq = last_seq + events,
        last_posted_at = p_from + (events - 1) * interval '1 microsecond'
    WHERE apartment_id = apartment
    RETURNING last_seq - events INTO head;

    INSERT INTO billing.history
        (apartment_id, seq, posted_at, event, payment_id, bill_id, for_payer_alone)
    SELECT apartment, head + n, p_from + (n - 1) * interval '1 microsecond',
        p_event, p_payment, bill_id,
        NOT billing.debtor_lives_there(apartment, period_from, period_to)
    FROM (
        SELECT bill_id, period_from, period_to,
            row_number() OVER (ORDER BY period_from, utility, bill_id) AS n
        FROM billing.payment_lines WHERE payment_id = p_payment
    ) l
    ORDER BY n;
END
$$;

-- Position of the first event posted at this instant or later; one past the last if there is none.
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

-- The events that a resident sees who has or had this residency: those from its beginning on that
-- were posted while they had not left, the reversals of payments that were made while they were
-- there, and what they paid themselves. What was paid for a former resident's bill only its payer
-- sees. What was posted is seen then or never: coming back does not open what others did meanwhile,
-- which would be a hole in the range that a client holds. Postgres puts this query in place of the
-- call, so its callers choose the range.
CREATE OR REPLACE FUNCTION billing.seen_history(p_residency billing.residencies)
RETURNS SETOF billing.history
LANGUAGE sql STABLE AS $$
    SELECT h.*
    FROM billing.history h
    -- LIMIT 1 makes it a look-up by its whole key, however few rows the planner believes in.
    CROSS JOIN LATERAL (
        SELECT resident_id, settled_at FROM billing.payments
        WHERE payment_id = h.payment_id LIMIT 1
    ) p
    WHERE h.apartment_id = p_residency.apartment_id AND h.posted_at >= p_residency.since
        AND (
            p.resident_id = p_residency.resident_id
            OR NOT h.for_payer_alone AND (
                NOT EXISTS (
                    SELECT FROM billing.residencies r
                    WHERE r.resident_id = p_residency.resident_id
                        AND r.apartment_id = p_residency.apartment_id
                        AND r.ended_at > r.since AND r.ended_at <= h.posted_at
                )
                OR EXISTS (
                    SELECT FROM billing.residencies r
                    CROSS JOIN (VALUES (h.posted_at), (p.settled_at)) AS t (instant)
                    WHERE r.resident_id = p_residency.resident_id
                        AND r.apartment_id = p_residency.apartment_id
                        AND t.instant >= greatest(r.since, r.granted_at)
                        AND t.instant < coalesce(r.ended_at, 'infinity')
                )
            )
        )
$$;

-- Events that are seen in a residency, from position p_first on without those in [p_known_first,
-- p_known_end), in order, at most p_limit + 1: the extra one shows that there are more. Two ranges
-- of the primary key, each cut at the limit, so the cost depends on the page and not on what the
-- client already has. ROWS is low on purpose: it makes the planner look up a page's lines one by
-- one.
CREATE OR REPLACE FUNCTION billing.history_page(
    p_residency billing.residencies,
    p_first bigint,
    p_known_first bigint,
    p_known_end bigint,
    p_limit integer
) RETURNS SETOF billing.history
LANGUAGE plpgsql STABLE ROWS 50 AS $$
BEGIN
    RETURN QUERY
    SELECT * FROM (
        (
            SELECT * FROM billing.seen_history(p_residency)
            WHERE seq >= p_first AND seq < p_known_first
            ORDER BY seq LIMIT p_limit + 1
        )
        UNION ALL
        (
            SELECT * FROM billing.seen_history(p_residency)
            WHERE seq >= greatest(p_first, p_known_first, p_known_end)
            ORDER BY seq LIMIT p_limit + 1
        )
    ) page
    ORDER BY seq LIMIT p_limit + 1;
END
$$;
