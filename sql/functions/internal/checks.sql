-- What a page of the check begins and ends with; sql/checks/violations.sql has what is between.

-- Hash of what the bills of an apartment say, which only a new version adds to. As JSON dates are
-- written alike in every session.
CREATE OR REPLACE FUNCTION billing.content_of(p_apartment uuid) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT md5(coalesce(string_agg(
            jsonb_build_array(
                bill_id, utility, provider_id, provider_reference, period_from, period_to, due_on,
                amount_minor, currency
            )::text, '' ORDER BY bill_id
        ), ''))
        FROM billing.bills WHERE apartment_id = p_apartment
    );
END
$$;

-- The first apartments from p_from on, as they are now; with p_changed_only those that have changed
-- since they were last checked, or did not agree then.
CREATE OR REPLACE FUNCTION billing.apartments_to_check(
    p_changed_only boolean, p_from uuid, p_limit integer
) RETURNS SETOF billing.apartment_checks
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT
        a.apartment_id, coalesce(s.version, 0), coalesce(s.last_seq, 0), clock_timestamp(), true,
        billing.content_of(a.apartment_id)
    FROM billing.apartments a
    LEFT JOIN billing.apartment_state s ON s.apartment_id = a.apartment_id
    LEFT JOIN billing.apartment_checks c ON c.apartment_id = a.apartment_id
    WHERE a.apartment_id >= p_from
        AND (p_changed_only IS NOT TRUE OR (c.agrees AND c.version = s.version) IS NOT TRUE)
    ORDER BY a.apartment_id LIMIT p_limit;
END
$$;

-- Keeps what was known of an apartment that does not agree: how far it had come when it last did.
CREATE OR REPLACE FUNCTION billing.remember_checks(
    p_checks billing.apartment_checks[], p_broken uuid[]
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO billing.apartment_checks AS known
        (apartment_id, version, last_seq, checked_at, agrees, content)
    SELECT apartment_id, version, last_seq, checked_at, apartment_id <> ALL (p_broken), content
    FROM unnest(p_checks)
    ON CONFLICT ON CONSTRAINT apartment_checks_pkey DO UPDATE SET
        version = CASE WHEN excluded.agrees THEN excluded.version ELSE known.version END,
        last_seq = CASE WHEN excluded.agrees THEN excluded.last_seq ELSE known.last_seq END,
        content = CASE WHEN excluded.agrees THEN excluded.content ELSE known.content END,
        checked_at = excluded.checked_at,
        agrees = excluded.agrees;
END
$$;
