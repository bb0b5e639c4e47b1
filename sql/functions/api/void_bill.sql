-- Withdraws an open bill that no correction replaces. Lock order: the apartment's row.
-- Answers: done; rejected with reason_required, bill_not_found, bill_void (void or replaced
-- already), bill_already_paid (reverse its payment first).

CREATE OR REPLACE FUNCTION api.void_bill(p_bill uuid, p_reason text, p_operator text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    place uuid := (SELECT apartment_id FROM billing.bills WHERE bill_id = p_bill);
    rejection jsonb;
    voided timestamptz;
BEGIN
    IF coalesce(btrim(p_reason), '') = '' THEN
        RETURN billing.rejected('reason_required', 'A bill is withdrawn for a reason: give one.');
    END IF;
    IF place IS NULL THEN
        RETURN billing.rejected('bill_not_found', 'There is no such bill.');
    END IF;
    PERFORM billing.lock_apartments(ARRAY[place]);
    rejection := billing.unpayable_bills(place, ARRAY[p_bill]);
    IF rejection IS NOT NULL THEN
        RETURN rejection;
    END IF;
    PERFORM billing.raise_version(place);
    DELETE FROM billing.open_bills WHERE bill_id = p_bill;
    voided := clock_timestamp();
    INSERT INTO billing.bill_voids (bill_id, reason, operator, voided_at)
    VALUES (p_bill, p_reason, p_operator, voided);
    RETURN billing.done(jsonb_build_object(
        'bill_id', p_bill, 'apartment_id', place, 'voided_at', billing.instant(voided)
    ));
END
$$;
COMMENT ON FUNCTION api.void_bill(uuid, text, text) IS 'Withdraws an open bill, with a reason.';
