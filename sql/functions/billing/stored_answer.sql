-- The answer that this resident's key got the first time: the rejection as stored, or the receipt,
-- whose rows never change. Null when the key is new; a rejection when it was used for something
-- else. The caller holds the advisory lock of the key.

CREATE OR REPLACE FUNCTION billing.stored_answer(
    p_resident uuid, p_request_key text, p_fingerprint text
) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    request billing.payment_requests;
BEGIN
    SELECT * INTO request FROM billing.payment_requests
    WHERE resident_id = p_resident AND request_key = p_request_key;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF request.fingerprint <> p_fingerprint THEN
        RETURN billing.rejected(
            'idempotency_key_reused', 'This idempotency key was used for another payment request.'
        );
    END IF;
    RETURN coalesce(request.rejection, billing.receipt(request.payment_id));
END
$$;
COMMENT ON FUNCTION billing.stored_answer(uuid, text, text) IS
    'What was answered to this key before; null when the key is new.';
