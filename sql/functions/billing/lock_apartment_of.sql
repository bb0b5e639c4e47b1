-- Locks the apartment if this resident may act for it, and says whether they may. Looks before
-- locking, so that strangers can't hold up an apartment, and again after it, because the residency
-- may have ended while this transaction waited for the lock.

CREATE OR REPLACE FUNCTION billing.lock_apartment_of(p_resident uuid, p_apartment uuid)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF billing.visible_from(p_resident, p_apartment) IS NULL THEN
        RETURN false;
    END IF;
    PERFORM billing.lock_apartments(ARRAY[p_apartment]);
    RETURN billing.visible_from(p_resident, p_apartment) IS NOT NULL;
END
$$;
COMMENT ON FUNCTION billing.lock_apartment_of(uuid, uuid) IS
    'Locks the apartment and answers true if the resident may act for it; else answers false.';
