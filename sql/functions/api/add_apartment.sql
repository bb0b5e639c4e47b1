-- Adds an apartment with its state at version 1. Answers: done; rejected with apartment_exists.
-- Locks nothing that others wait for.

CREATE OR REPLACE FUNCTION api.add_apartment(p_apartment uuid, p_address text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
BEGIN
    INSERT INTO billing.apartments (apartment_id, address) VALUES (p_apartment, p_address)
    ON CONFLICT ON CONSTRAINT apartments_pkey DO NOTHING;
    IF NOT FOUND THEN
        RETURN billing.rejected('apartment_exists', 'There is an apartment with this id already.');
    END IF;
    INSERT INTO billing.apartment_state (apartment_id) VALUES (p_apartment);
    RETURN billing.done(jsonb_build_object('apartment_id', p_apartment, 'address', p_address));
END
$$;
COMMENT ON FUNCTION api.add_apartment(uuid, text) IS 'Adds an apartment that has no bills yet.';
