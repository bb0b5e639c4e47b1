-- Takes a whole payment back; its bills are owed again and may be paid anew. Lock order: the
-- apartment's row.
-- Answers: done; rejected with reason_required, payment_not_found, payment_already_reversed (with
-- the reversal there is, so that a repetition knows that its work is done).

CREATE OR REPLACE FUNCTION api.reverse_payment(p_payment uuid, p_reason text, p_operator text)
RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    payment billing.payments;
    reversal billing.reversals;
BEGIN
    IF coalesce(btrim(p_reason), '') = '' THEN
        RETURN billing.rejected('reason_required', 'A payment is reversed for a reason: give one.');
    END IF;
    SELECT * INTO payment FROM billing.payments WHERE payment_id = p_payment;
    IF NOT FOUND THEN
        RETURN billing.rejected('payment_not_found', 'There is no such payment.');
    END IF;
    PERFORM billing.lock_apartments(ARRAY[payment.apartment_id]);
    SELECT * INTO reversal FROM billing.reversals WHERE payment_id = p_payment;
    IF FOUND THEN
        RETURN billing.rejected(
            'payment_already_reversed', 'This payment is reversed already.',
            jsonb_build_object(
                'reversal_id', reversal.reversal_id,
                'reversed_at', billing.instant(reversal.reversed_at)
            )
        );
    END IF;
    reversal := billing.take_back(payment, p_reason, p_operator);
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
    'Takes a payment back, with a reason; its bills are owed again.';
