-- The steps of an import of bills, in the order in which api.issue_bills takes them.

-- Records the import, unless an earlier chunk of the same file has. Returns import_id_reused when
-- the id belongs to another file, else null.
CREATE OR REPLACE FUNCTION billing.import_rejection(p_import jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO billing.imports (import_id, file_name, sha256)
    VALUES ((p_import ->> 'import_id')::uuid, p_import ->> 'file_name', p_import ->> 'sha256')
    ON CONFLICT ON CONSTRAINT imports_pkey DO NOTHING;
    RETURN (
        SELECT billing.rejected('import_id_reused') FROM billing.imports
        WHERE import_id = (p_import ->> 'import_id')::uuid AND sha256 <> p_import ->> 'sha256'
    );
END
$$;

-- The code for what a line refers to and does not exist; null when everything exists.
CREATE OR REPLACE FUNCTION billing.missing_reference(p_line billing.bills) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE
        WHEN NOT EXISTS (SELECT FROM billing.apartments WHERE apartment_id = p_line.apartment_id)
            THEN 'apartment_not_found'
        WHEN NOT EXISTS (SELECT FROM billing.providers WHERE provider_id = p_line.provider_id)
            THEN 'provider_not_found'
        WHEN NOT EXISTS (SELECT FROM billing.utilities WHERE utility = p_line.utility)
            THEN 'utility_not_found'
    END;
END
$$;

-- What a provider says of a bill: all of the bill but what we number and date.
CREATE OR REPLACE FUNCTION billing.bill_content(p_bill billing.bills) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT to_jsonb(p_bill)
        - ARRAY['bill_id', 'revision', 'replaces', 'import_id', 'issued_at']
$$;

-- Whether a line adds nothing: it equals the bill's newest revision, or any revision from a file
-- with the same bytes. So a file imported again adds nothing, even after a correction; the old
-- amount in a new file is a correction of its own.
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
            AND billing.bill_content(b) = billing.bill_content(p_line)
    );
END
$$;

-- Inserts a bill, or the revision that replaces an open or void one, opens it and returns its id.
-- The caller holds the apartment's lock.
CREATE OR REPLACE FUNCTION billing.insert_bill_revision(
    p_line billing.bills, p_newest billing.bills, p_import uuid
)
RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    inserted billing.bills := p_line;
BEGIN
    PERFORM billing.bump_version(p_line.apartment_id);
    DELETE FROM billing.open_bills WHERE bill_id = p_newest.bill_id;
    inserted.bill_id := gen_random_uuid();
    inserted.revision := coalesce(p_newest.revision, 0) + 1;
    inserted.replaces := p_newest.bill_id;
    inserted.import_id := p_import;
    inserted.issued_at := clock_timestamp();
    INSERT INTO billing.bills SELECT inserted.*;
    INSERT INTO billing.open_bills (bill_id, apartment_id, amount_minor, currency)
    VALUES (inserted.bill_id, inserted.apartment_id, inserted.amount_minor, inserted.currency);
    RETURN inserted.bill_id;
END
$$;

-- Issues one line. The caller holds the lock of its apartment. Returns {"line", "result", "code",
-- "bill_id"}. result is issued, revised, already_present, or rejected, then with code
-- apartment_not_found, provider_not_found, utility_not_found, reference_of_other_apartment or
-- bill_already_paid. bill_id is the current bill of the reference, or null.
CREATE OR REPLACE FUNCTION billing.issue_line(p_import uuid, p_sha256 text, p_line jsonb)
RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    line billing.bills := jsonb_populate_record(NULL::billing.bills, p_line);
    newest billing.bills;
    result text := 'rejected';
    rejected_code text := billing.missing_reference(line);
    current_bill uuid;
BEGIN
    SELECT * INTO newest FROM billing.bills
    WHERE provider_id = line.provider_id AND provider_reference = line.provider_reference
    ORDER BY revision DESC LIMIT 1;
    IF rejected_code IS NOT NULL THEN
        NULL;  -- No other check applies to a line with a missing reference.
    ELSIF newest.bill_id IS NULL THEN
        result := 'issued';
        current_bill := billing.insert_bill_revision(line, newest, p_import);
    ELSIF newest.apartment_id <> line.apartment_id THEN
        rejected_code := 'reference_of_other_apartment';
    ELSIF billing.bill_is_present(line, newest.bill_id, p_sha256) THEN
        result := 'already_present';
        current_bill := newest.bill_id;
    ELSIF EXISTS (SELECT FROM billing.settled_bills WHERE bill_id = newest.bill_id) THEN
        rejected_code := 'bill_already_paid';
        current_bill := newest.bill_id;
    ELSE
        result := 'revised';
        current_bill := billing.insert_bill_revision(line, newest, p_import);
    END IF;
    RETURN jsonb_build_object(
        'line', p_line -> 'line', 'result', result, 'code', rejected_code, 'bill_id', current_bill
    );
END
$$;

-- The results of a dry run without the ids of the bills that it rolled back.
CREATE OR REPLACE FUNCTION billing.strip_dry_run_ids(p_results jsonb) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        jsonb_agg(result || jsonb_build_object('bill_id', b.bill_id) ORDER BY place), '[]'
    )
    FROM jsonb_array_elements(p_results) WITH ORDINALITY AS t (result, place)
    LEFT JOIN billing.bills b ON b.bill_id = (result ->> 'bill_id')::uuid
$$;
