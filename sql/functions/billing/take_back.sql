-- Reverses a payment that stands: the reversal, history, and its bills are owed again. The caller
-- holds the apartment's lock. Answers the reversal.

CREATE OR REPLACE FUNCTION billing.take_back(
    p_payment billing.payments, p_reason text, p_operator text
) RETURNS billing.reversals
LANGUAGE plpgsql AS $$
DECLARE
    reversal billing.reversals;
BEGIN
    INSERT INTO billing.reversals (payment_id, reason, operator, reversed_at)
    VALUES (p_payment.payment_id, p_reason, p_operator,
        billing.next_instant(p_payment.apartment_id))
    RETURNING * INTO reversal;
    PERFORM billing.post_events('reversal', p_payment.payment_id, reversal.reversed_at);
    DELETE FROM billing.settled_bills WHERE payment_id = p_payment.payment_id;
    INSERT INTO billing.open_bills (bill_id, apartment_id, amount_minor, currency)
    SELECT bill_id, apartment_id, amount_minor, currency
    FROM billing.payment_lines WHERE payment_id = p_payment.payment_id;
    RETURN reversal;
END
$$;
COMMENT ON FUNCTION billing.take_back(billing.payments, text, text) IS
    'Reverses a payment of a locked apartment; answers the reversal.';
