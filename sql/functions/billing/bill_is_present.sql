-- Whether a line says nothing new: its content is that of the bill's newest revision, or of any
-- revision that came from a file with the same bytes. So a file read in again adds nothing, even
-- when a correction came in between; the old amount sent again in a new file is a correction of
-- its own.

CREATE OR REPLACE FUNCTION billing.bill_is_present(
    p_line billing.bills, p_newest uuid, p_sha256 text
)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM billing.bills b
        JOIN billing.imports i ON i.import_id = b.import_id
        WHERE b.provider_id = p_line.provider_id
            AND b.provider_reference = p_line.provider_reference
            AND (b.bill_id = p_newest OR i.sha256 = p_sha256)
            AND (b.apartment_id, b.utility, b.period_from, b.period_to, b.due_on, b.amount_minor,
                    b.currency)
                = (p_line.apartment_id, p_line.utility, p_line.period_from, p_line.period_to,
                    p_line.due_on, p_line.amount_minor, p_line.currency)
    );
END
$$;
COMMENT ON FUNCTION billing.bill_is_present(billing.bills, uuid, text) IS
    'Whether the bill of this line is in the books already, with this content.';
