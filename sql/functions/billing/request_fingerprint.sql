-- What a payment request asks for, in 64 hexadecimal digits. Equal for the same apartment, set of
-- bills and expected total; a key that comes back with another fingerprint is rejected.

CREATE OR REPLACE FUNCTION billing.request_fingerprint(
    p_apartment uuid, p_bill_set uuid[], p_expected_total bigint
) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT encode(
        sha256(convert_to(
            jsonb_build_array(p_apartment, to_jsonb(p_bill_set), p_expected_total)::text, 'UTF8'
        )),
        'hex'
    )
$$;
COMMENT ON FUNCTION billing.request_fingerprint(uuid, uuid[], bigint) IS
    'SHA-256 of what a payment request asks for.';
