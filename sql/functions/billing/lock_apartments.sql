-- Locks the state rows of these apartments, waiting for others, in the order of their ids:
-- everybody locks in that order, so nobody waits in a circle. Unknown ids are passed over. What is
-- read after this call, in a new statement, is what the last holder of the lock committed.

CREATE OR REPLACE FUNCTION billing.lock_apartments(p_apartments uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM billing.apartment_state
    WHERE apartment_id = ANY (p_apartments)
    ORDER BY apartment_id
    FOR UPDATE;
END
$$;
COMMENT ON FUNCTION billing.lock_apartments(uuid[]) IS
    'Locks apartments, sorted by id, until the transaction ends.';
