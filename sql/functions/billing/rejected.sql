-- The answer of a function that changed nothing because what was asked can't be done. A rejection is
-- a value, not an error: it is stored and given again like a receipt.

CREATE OR REPLACE FUNCTION billing.rejected(p_code text, p_message text, p_data jsonb DEFAULT NULL)
RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'status', 'rejected', 'code', p_code, 'message', p_message, 'data', p_data
    )
$$;
COMMENT ON FUNCTION billing.rejected(text, text, jsonb) IS
    'The answer {"status": "rejected", "code", "message", "data"}.';
