-- Issues one line of an import. The caller holds the lock of the line's apartment. Answers
-- {"line", "result", "code", "bill_id"}: issued, revised, already_present, or rejected with
-- apartment_not_found, provider_not_found, utility_not_found, reference_of_other_apartment,
-- bill_already_paid. bill_id is the bill that stands for the reference now; null when unknown.

CREATE OR REPLACE FUNCTION billing.issue_line(p_import uuid, p_sha256 text, p_line jsonb)
RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    line billing.bills := jsonb_populate_record(NULL::billing.bills, p_line);
    newest billing.bills;
    result text := 'rejected';
    rejected_code text := billing.unknown_in_line(line);
    standing uuid;
BEGIN
    SELECT * INTO newest FROM billing.bills
    WHERE provider_id = line.provider_id AND provider_reference = line.provider_reference
    ORDER BY revision DESC LIMIT 1;
    IF rejected_code IS NOT NULL THEN
        NULL;  -- Nothing else is looked at in a line that names unknown things.
    ELSIF newest.bill_id IS NULL THEN
        result := 'issued';
        standing := billing.open_bill(line, newest, p_import);
    ELSIF newest.apartment_id <> line.apartment_id THEN
        rejected_code := 'reference_of_other_apartment';
    ELSIF billing.bill_is_present(line, newest.bill_id, p_sha256) THEN
        result := 'already_present';
        standing := newest.bill_id;
    ELSIF EXISTS (SELECT FROM billing.settled_bills WHERE bill_id = newest.bill_id) THEN
        rejected_code := 'bill_already_paid';
        standing := newest.bill_id;
    ELSE
        result := 'revised';
        standing := billing.open_bill(line, newest, p_import);
    END IF;
    RETURN jsonb_build_object(
        'line', p_line -> 'line', 'result', result, 'code', rejected_code, 'bill_id', standing
    );
END
$$;
COMMENT ON FUNCTION billing.issue_line(uuid, text, jsonb) IS
    'Issues one line of an import; answers what became of it.';
