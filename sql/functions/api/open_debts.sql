-- What an apartment owes now, and the version that this is true at. Null when the resident may not
-- act there. STABLE: all of it is read from one snapshot, so version and debts belong together.

CREATE OR REPLACE FUNCTION api.open_debts(p_subject uuid, p_apartment uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = billing, pg_temp AS $$
BEGIN
    RETURN (
        SELECT jsonb_build_object(
            'version', access.version,
            'debts', coalesce(
                (
                    SELECT jsonb_agg(
                        jsonb_build_object(
                            'bill_id', b.bill_id,
                            'utility', b.utility,
                            'provider', billing.provider(b.provider_id, p.name),
                            'period', billing.period(b.period_from, b.period_to),
                            'due_on', b.due_on,
                            'amount_minor', b.amount_minor,
                            'currency', b.currency
                        )
                        ORDER BY b.due_on, b.utility, b.bill_id
                    )
                    FROM billing.open_bills o
                    JOIN billing.bills b ON b.bill_id = o.bill_id
                    JOIN billing.providers p ON p.provider_id = b.provider_id
                    WHERE o.apartment_id = p_apartment
                ),
                '[]'
            )
        )
        FROM api.apartment_access(p_subject, p_apartment) access
    );
END
$$;
COMMENT ON FUNCTION api.open_debts(uuid, uuid) IS
    'Open bills of the apartment by due date, with the version; null when they may not act.';
