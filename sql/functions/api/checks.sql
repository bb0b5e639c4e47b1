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

-- Reads whole tables.
CREATE OR REPLACE FUNCTION api.violations() RETURNS TABLE (rule text, subject text, detail text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
    SELECT v.rule, v.subject, v.detail FROM billing.billing_violations v
$$;
COMMENT ON FUNCTION api.violations() IS
    'Contradictions in the ledger: no row while it is consistent.';
