-- Locks the apartment and says why this payment can't be made, null when it can. The first that
-- applies of: apartment_not_found, invalid_request (no bills), bill_not_found, bill_void,
-- bill_already_paid, currency_mixed, total_changed.

CREATE OR REPLACE FUNCTION billing.payment_rejection(
    p_resident uuid, p_apartment uuid, p_bill_set uuid[], p_expected_total bigint
) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT billing.lock_apartment_of(p_resident, p_apartment) THEN
        RETURN billing.rejected('apartment_not_found', 'There is no such apartment.');
    END IF;
    IF cardinality(p_bill_set) = 0 THEN
        RETURN billing.rejected('invalid_request', 'A payment needs at least one bill.');
    END IF;
    RETURN coalesce(
        billing.unpayable_bills(p_apartment, p_bill_set),
        billing.unexpected_total(p_bill_set, p_expected_total)
    );
END
$$;
COMMENT ON FUNCTION billing.payment_rejection(uuid, uuid, uuid[], bigint) IS
    'Locks the apartment; the rejection of a payment request, or null when the payment can be made.';
