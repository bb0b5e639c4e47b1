-- Payments and their reversals.

-- One transaction, one round trip. Lock order: the advisory lock of (resident, request key), then
-- the apartment. The key never expires and is the resident's own; a repetition gets the stored
-- answer, whatever has happened since. Order and repetition of bills mean nothing.
--
-- p_is_stale: the request waited so long that nobody expects it to be paid any more.
-- p_requested_at: when the gateway took it, so that it counts as of the same hour each time.
--
-- Returns the receipt, or rejects with the first that applies of idempotency_key_reused,
-- too_many_rejections (not stored), request_expired, apartment_not_found, invalid_request (no
-- bills), bill_not_found, bill_of_former_resident, bill_void, bill_already_paid (these four with
-- {"bills", "bills_count"}), currency_mixed (with {"currencies"}), total_changed (with
-- {"total_minor", "expected_total_minor"}). A subject that is no resident gets apartment_not_found,
-- which is not stored, for want of somebody to store it for: once they are one, the key is new.
-- The one of the package before has fewer arguments, and would make calls ambiguous.
DROP FUNCTION IF EXISTS api.pay(uuid, text, uuid, uuid[], bigint, boolean);
CREATE OR REPLACE FUNCTION api.pay(
    p_subject uuid,
    p_request_key text,
    p_apartment uuid,
    p_bills uuid[],
    p_expected_total bigint DEFAULT NULL,
    p_is_stale boolean DEFAULT FALSE,
    p_requested_at timestamptz DEFAULT clock_timestamp()
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    payer uuid := billing.resident_of(p_subject);
    bill_set uuid[] := ARRAY(
        SELECT DISTINCT bill FROM unnest(p_bills) AS t (bill) WHERE bill IS NOT NULL ORDER BY bill
    );
    fingerprint text := billing.request_fingerprint(p_apartment, bill_set, p_expected_total);
    answer jsonb;
    payment uuid;
BEGIN
    IF payer IS NULL THEN
        RETURN billing.rejected('apartment_not_found');
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(payer || ' ' || p_request_key, 0));
    answer := billing.stored_answer(payer, p_request_key, fingerprint);
    IF answer IS NOT NULL THEN
        RETURN answer;
    END IF;
    IF billing.rejections_are_used_up(payer, p_requested_at) THEN
        RETURN billing.rejected('too_many_rejections');
    END IF;
    IF p_is_stale THEN
        answer := billing.rejected('request_expired');
    ELSE
        answer := billing.payment_rejection(payer, p_apartment, bill_set, p_expected_total);
    END IF;
    IF answer IS NULL THEN
        payment := billing.insert_payment(payer, p_apartment, bill_set);
    END IF;
    INSERT INTO billing.payment_requests
        (resident_id, request_key, fingerprint, payment_id, rejection, requested_at, answered_at)
    VALUES (
        payer, p_request_key, fingerprint, payment, answer, p_requested_at, clock_timestamp()
    );
    RETURN coalesce(answer, billing.receipt(payment));
END
$$;
COMMENT ON FUNCTION api.pay(uuid, text, uuid, uuid[], bigint, boolean, timestamptz) IS
    'Pays a set of bills of one apartment, all or none; the same key always gets the same answer.';

-- Takes the lock of opening, then the apartment's. Rejects with reason_required, payment_not_found,
-- payment_already_reversed (with the existing reversal, so that a repetition knows that its work is
-- done).
CREATE OR REPLACE FUNCTION api.reverse_payment(p_payment uuid, p_reason text, p_operator text)
RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    payment billing.payments;
    reversal billing.reversals;
BEGIN
    IF coalesce(btrim(p_reason), '') = '' THEN
        RETURN billing.rejected('reason_required');
    END IF;
    PERFORM billing.lock_opening();
    SELECT * INTO payment FROM billing.payments WHERE payment_id = p_payment;
    IF NOT FOUND THEN
        RETURN billing.rejected('payment_not_found');
    END IF;
    PERFORM billing.lock_apartments(ARRAY[payment.apartment_id]);
    SELECT * INTO reversal FROM billing.reversals WHERE payment_id = p_payment;
    IF FOUND THEN
        RETURN billing.rejected('payment_already_reversed', jsonb_build_object(
            'reversal_id', reversal.reversal_id,
            'reversed_at', billing.instant(reversal.reversed_at)
        ));
    END IF;
    reversal := billing.reverse_payment_rows(payment, p_reason, p_operator);
    RETURN billing.done(jsonb_build_object(
        'reversal_id', reversal.reversal_id,
        'payment_id', p_payment,
        'receipt_number', payment.receipt_number,
        'reversed_at', billing.instant(reversal.reversed_at),
        'total_minor', payment.total_minor,
        'currency', payment.currency,
        'bills', (
            SELECT jsonb_agg(bill_id ORDER BY bill_id)
            FROM billing.payment_lines WHERE payment_id = p_payment
        )
    ));
END
$$;
COMMENT ON FUNCTION api.reverse_payment(uuid, text, text) IS
    'Reverses a whole payment, with a reason; its bills are owed again and may be paid anew.';
