-- Makes the payment: payment, lines with the names of today, history, and the bills are no longer
-- open. The caller holds the apartment's lock and knows that all bills are open, in it, and in one
-- currency; constraints and triggers reject the transaction if that is not so. Answers the
-- payment's id.

CREATE OR REPLACE FUNCTION billing.settle(p_resident uuid, p_apartment uuid, p_bill_set uuid[])
RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    posted_at timestamptz := billing.next_instant(p_apartment);
    payment uuid;
BEGIN
    INSERT INTO billing.payments
        (receipt_number, resident_id, apartment_id, total_minor, currency, settled_at)
    SELECT billing.next_receipt_number(posted_at), p_resident, p_apartment,
        sum(amount_minor), min(currency), posted_at
    FROM billing.open_bills WHERE bill_id = ANY (p_bill_set)
    RETURNING payment_id INTO payment;

    INSERT INTO billing.payment_lines
        (payment_id, bill_id, apartment_id, amount_minor, currency, utility,
            provider_id, provider_name, period_from, period_to)
    SELECT payment, b.bill_id, b.apartment_id, b.amount_minor, b.currency, b.utility,
        b.provider_id, p.name, b.period_from, b.period_to
    FROM billing.bills b
    JOIN billing.providers p ON p.provider_id = b.provider_id
    WHERE b.bill_id = ANY (p_bill_set);

    PERFORM billing.post_events('payment', payment, posted_at);
    DELETE FROM billing.open_bills WHERE bill_id = ANY (p_bill_set);
    INSERT INTO billing.settled_bills (bill_id, payment_id, apartment_id)
    SELECT bill_id, payment, p_apartment FROM unnest(p_bill_set) AS t (bill_id);
    RETURN payment;
END
$$;
COMMENT ON FUNCTION billing.settle(uuid, uuid, uuid[]) IS
    'Pays open bills of a locked apartment; answers the payment''s id.';
