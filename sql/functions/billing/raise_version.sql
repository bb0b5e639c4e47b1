-- Raises the version of an apartment by one, for a change that is no history event. Once per
-- transaction is enough, since others see only what the whole transaction made of the apartment.
-- The apartment's row is locked by the caller, who does this before the change itself.

CREATE OR REPLACE FUNCTION billing.raise_version(p_apartment uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE billing.apartment_state SET version = version + 1
    WHERE apartment_id = p_apartment AND changed_in <> pg_current_xact_id();
END
$$;
COMMENT ON FUNCTION billing.raise_version(uuid) IS
    'Raises an apartment''s version by one, once per transaction.';
