-- Adds a provider or gives it another name. Answers: done.
--
-- Debts show the name of today, so a new name moves the version of every apartment that owes the
-- provider something; their rows are locked in sorted order, and payments there wait meanwhile.
-- Renaming is rare; do it at a quiet hour.

CREATE OR REPLACE FUNCTION api.add_provider(p_provider_id text, p_name text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    debtors uuid[];
BEGIN
    INSERT INTO billing.providers (provider_id, name) VALUES (p_provider_id, p_name)
    ON CONFLICT ON CONSTRAINT providers_pkey DO NOTHING;
    IF NOT FOUND THEN
        SELECT array_agg(DISTINCT o.apartment_id) INTO debtors
        FROM billing.open_bills o
        JOIN billing.bills b ON b.bill_id = o.bill_id
        JOIN billing.providers p ON p.provider_id = b.provider_id
        WHERE p.provider_id = p_provider_id AND p.name <> p_name;
        PERFORM billing.lock_apartments(debtors);
        PERFORM billing.raise_version(debtor) FROM unnest(debtors) AS t (debtor);
        UPDATE billing.providers SET name = p_name
        WHERE provider_id = p_provider_id AND name <> p_name;
    END IF;
    RETURN billing.done(jsonb_build_object('provider_id', p_provider_id, 'name', p_name));
END
$$;
COMMENT ON FUNCTION api.add_provider(text, text) IS 'Adds a provider or renames it.';
