-- Pays a set of bills of one apartment, all or none, in one transaction and one round trip.
--
-- Lock order: the advisory lock of (resident, request key), then the apartment's row. A repetition
-- of the key is answered from what is stored, whatever has happened since; the key never expires
-- and is the resident's own. Order and repetition of bills mean nothing.
-- Answers: done with the receipt; or rejected with the first that applies of
-- idempotency_key_reused, apartment_not_found, invalid_request (no bills), bill_not_found,
-- bill_void, bill_already_paid (these three with data {"bills"}), currency_mixed, total_changed
-- (with data {"total_minor", "expected_total_minor"}). A subject that is no resident reads
-- apartment_not_found, and that is not stored.

CREATE OR REPLACE FUNCTION api.pay(
    p_subject uuid,
    p_request_key text,
    p_apartment uuid,
    p_bills uuid[],
    p_expected_total bigint DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    payer uuid := billing.resident_of(p_subject);
    wanted uuid[] := billing.bill_set(p_bills);
    fingerprint text := billing.request_fingerprint(p_apartment, wanted, p_expected_total);
    answer jsonb;
    payment uuid;
BEGIN
    IF payer IS NULL THEN
        RETURN billing.rejected('apartment_not_found', 'There is no such apartment.');
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(payer || ' ' || p_request_key, 0));
    answer := billing.stored_answer(payer, p_request_key, fingerprint);
    IF answer IS NOT NULL THEN
        RETURN answer;
    END IF;
    answer := billing.payment_rejection(payer, p_apartment, wanted, p_expected_total);
    IF answer IS NULL THEN
        payment := billing.settle(payer, p_apartment, wanted);
    END IF;
    INSERT INTO billing.payment_requests
        (resident_id, request_key, fingerprint, payment_id, rejection, answered_at)
    VALUES (payer, p_request_key, fingerprint, payment, answer, clock_timestamp());
    RETURN coalesce(answer, billing.receipt(payment));
END
$$;
COMMENT ON FUNCTION api.pay(uuid, text, uuid, uuid[], bigint) IS
    'Pays a set of bills, all or none; the same key is always given the same answer.';
