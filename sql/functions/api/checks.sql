-- Checks of the ledger against itself. They take no lock.

-- Per provider, posting day (in the deployment's time zone) and currency, both days included:
--   payments_minor  totals of the day's payments, less what their lines pay to other providers
--   lines_minor     the day's payment lines
--   bills_minor     the bills that those lines settle, or settled until a reversal, as billed
--   reversed_minor  lines of payments that were reversed on the day
--   agrees          the first three are equal
-- A payment without lines appears under the provider '-'. Reads the days' payments by index.
CREATE OR REPLACE FUNCTION api.reconcile(p_from date, p_to date) RETURNS TABLE (
    provider_id text,
    day date,
    payments_minor bigint,
    lines_minor bigint,
    bills_minor bigint,
    reversed_minor bigint,
    currency text,
    agrees boolean
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    begins timestamptz := billing.day_begins(p_from);
    ends timestamptz := billing.day_begins(p_to + 1);
BEGIN
    RETURN QUERY
    WITH paid AS (
        SELECT
            coalesce(l.provider_id, '-') AS provider_id,
            billing.local_time(p.settled_at)::date AS day,
            p.currency,
            p.total_minor - sum(coalesce(sum(l.amount_minor), 0)) OVER (PARTITION BY p.payment_id)
                + coalesce(sum(l.amount_minor), 0) AS payments_minor,
            coalesce(sum(l.amount_minor), 0) AS lines_minor,
            coalesce(
                sum(b.amount_minor) FILTER (
                    WHERE s.bill_id IS NOT NULL OR r.payment_id IS NOT NULL
                ),
                0
            ) AS bills_minor,
            0::numeric AS reversed_minor
        FROM billing.payments p
        LEFT JOIN billing.payment_lines l ON l.payment_id = p.payment_id
        LEFT JOIN billing.bills b ON b.bill_id = l.bill_id AND b.provider_id = l.provider_id
        LEFT JOIN billing.settled_bills s
            ON s.bill_id = l.bill_id AND s.payment_id = l.payment_id
        LEFT JOIN billing.reversals r ON r.payment_id = p.payment_id
        WHERE p.settled_at >= begins AND p.settled_at < ends
        GROUP BY p.payment_id, l.provider_id
    ),
    reversed AS (
        SELECT
            l.provider_id, billing.local_time(r.reversed_at)::date AS day, l.currency,
            0::numeric AS payments_minor, 0::numeric AS lines_minor, 0::numeric AS bills_minor,
            l.amount_minor::numeric AS reversed_minor
        FROM billing.reversals r
        JOIN billing.payment_lines l ON l.payment_id = r.payment_id
        WHERE r.reversed_at >= begins AND r.reversed_at < ends
    ),
    sums AS (
        SELECT
            t.provider_id, t.day, t.currency,
            sum(t.payments_minor)::bigint AS payments_minor,
            sum(t.lines_minor)::bigint AS lines_minor,
            sum(t.bills_minor)::bigint AS bills_minor,
            sum(t.reversed_minor)::bigint AS reversed_minor
        FROM (TABLE paid UNION ALL TABLE reversed) t
        GROUP BY t.provider_id, t.day, t.currency
    )
    SELECT
        t.provider_id, t.day, t.payments_minor, t.lines_minor, t.bills_minor, t.reversed_minor,
        t.currency, t.payments_minor = t.lines_minor AND t.lines_minor = t.bills_minor
    FROM sums t
    ORDER BY t.provider_id, t.day, t.currency;
END
$$;
COMMENT ON FUNCTION api.reconcile(date, date) IS
    'Payments, lines and bills per provider and day, and whether they agree.';

-- Reads whole tables: api.check_apartments finds the same in a large ledger.
CREATE OR REPLACE FUNCTION api.violations() RETURNS TABLE (rule text, subject text, detail text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = billing, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_material = off SET jit = off AS $$
    SELECT v.rule, v.subject, v.detail FROM billing.billing_violations v
$$;
COMMENT ON FUNCTION api.violations() IS
    'Contradictions in the ledger: no row while it is consistent.';

-- Returns like api.check_apartments. Rejects with apartment_not_found.
CREATE OR REPLACE FUNCTION api.check_apartment(p_apartment uuid) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_material = off SET jit = off AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM billing.apartments WHERE apartment_id = p_apartment) THEN
        RETURN billing.rejected('apartment_not_found');
    END IF;
    RETURN billing.done(billing.check_page(
        ARRAY(SELECT t FROM billing.apartments_to_check(false, p_apartment, 1) t), true, NULL, NULL
    ));
END
$$;
COMMENT ON FUNCTION api.check_apartment(uuid) IS 'Checks one apartment.';

-- One page of a check: the first p_limit apartments from p_from on, or those of them that have
-- changed since they were last checked. Remembers what it checked and, for a pass with a name
-- ('changed', 'all'), where the next page begins. A page of all apartments also finds rows without
-- an apartment whose own ids lie in its range.
-- Returns {"checked", "next", "violations"}; next is null at the end, where the pass begins anew.
--
-- All contradictions of a page come from one snapshot, younger than the versions that it remembers:
-- a change in between makes the apartment be checked once more. The planner is kept to indexes,
-- because its guess of a range of ids may be a hundred times what the page holds.
CREATE OR REPLACE FUNCTION api.check_apartments(p_pass text, p_from uuid, p_limit integer)
RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_material = off SET jit = off AS $$
DECLARE
    chosen billing.apartment_checks[] := ARRAY(
        SELECT t FROM billing.apartments_to_check(p_pass = 'changed', p_from, p_limit + 1) t
    );
    next_page uuid := (chosen[p_limit + 1]).apartment_id;
BEGIN
    IF p_pass IS NOT NULL THEN
        INSERT INTO billing.check_positions (pass, next_apartment)
        VALUES (p_pass, coalesce(next_page, '00000000-0000-0000-0000-000000000000'))
        ON CONFLICT ON CONSTRAINT check_positions_pkey DO UPDATE
        SET next_apartment = excluded.next_apartment;
    END IF;
    RETURN billing.check_page(chosen[:p_limit], p_pass = 'changed', p_from, next_page);
END
$$;
COMMENT ON FUNCTION api.check_apartments(text, uuid, integer) IS
    'Checks a page of apartments, and returns what contradicts and where the next page begins.';

-- Returns {"apartments", "waiting", "oldest", "positions"}: how many there are, how many have
-- changed since their last check or did not agree, when the one that waits longest was checked
-- last (or added), and where each pass goes on. Reads a row per apartment.
CREATE OR REPLACE FUNCTION api.check_progress() RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
BEGIN
    RETURN (
        SELECT jsonb_build_object(
            'apartments', count(*),
            'waiting', count(*) FILTER (WHERE (c.agrees AND c.version = s.version) IS NOT TRUE),
            'oldest', billing.instant(min(coalesce(c.checked_at, a.added_at))),
            'positions', (
                SELECT coalesce(jsonb_object_agg(pass, next_apartment), '{}')
                FROM billing.check_positions
            )
        )
        FROM billing.apartments a
        LEFT JOIN billing.apartment_state s ON s.apartment_id = a.apartment_id
        LEFT JOIN billing.apartment_checks c ON c.apartment_id = a.apartment_id
    );
END
$$;
COMMENT ON FUNCTION api.check_progress() IS 'How far the check of the ledger has come.';
