-- Issues a bill: the bill, or the revision that replaces an open or void one, is what is owed from
-- now on. The caller holds the apartment's lock. Answers the new bill's id.

CREATE OR REPLACE FUNCTION billing.open_bill(
    p_line billing.bills, p_newest billing.bills, p_import uuid
)
RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    issued uuid;
BEGIN
    PERFORM billing.raise_version(p_line.apartment_id);
    DELETE FROM billing.open_bills WHERE bill_id = p_newest.bill_id;
    INSERT INTO billing.bills
        (apartment_id, utility, provider_id, provider_reference, revision, replaces,
            period_from, period_to, due_on, amount_minor, currency, import_id)
    VALUES
        (p_line.apartment_id, p_line.utility, p_line.provider_id, p_line.provider_reference,
            coalesce(p_newest.revision, 0) + 1, p_newest.bill_id,
            p_line.period_from, p_line.period_to, p_line.due_on, p_line.amount_minor,
            p_line.currency, p_import)
    RETURNING bill_id INTO issued;
    INSERT INTO billing.open_bills (bill_id, apartment_id, amount_minor, currency)
    VALUES (issued, p_line.apartment_id, p_line.amount_minor, p_line.currency);
    RETURN issued;
END
$$;
COMMENT ON FUNCTION billing.open_bill(billing.bills, billing.bills, uuid) IS
    'Issues a bill or its next revision in a locked apartment; answers its id.';
