-- The steps of an import of bills, in the order in which api.issue_bills takes them.

-- Those of the package before took or returned something else.
DROP FUNCTION IF EXISTS billing.bill_is_present(billing.bills, uuid, text);
DROP FUNCTION IF EXISTS billing.issue_line(uuid, text, jsonb);

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

-- Whether a line adds nothing: it equals the bill's newest revision, or any revision from a file
-- with the same bytes. So a file imported again adds nothing, even after a correction; the old
-- amount in a new file is a correction of its own.
CREATE OR REPLACE FUNCTION billing.bill_is_present(
    p_line billing.bills, p_newest billing.bills, p_sha256 text
)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN billing.bill_content(p_newest) = billing.bill_content(p_line) OR EXISTS (
        SELECT FROM billing.bills b
        JOIN billing.imports i ON i.import_id = b.import_id
        WHERE b.provider_id = p_line.provider_id
            AND b.provider_reference = p_line.provider_reference
            AND b.utility = p_line.utility
            AND b.period_from = p_line.period_from AND b.period_to = p_line.period_to
            AND i.sha256 = p_sha256
            AND billing.bill_content(b) = billing.bill_content(p_line)
    );
END
$$;

-- Issues one line of an import. The caller holds the lock of its apartment, and says whether
-- another line of the import is of the same bill: which of the two is right?
-- Returns {"line", "result", "code", "bill_id", "provider_reference"}. result is issued, revised,
-- already_present, or rejected, then with code reference_duplicated, apartment_not_found,
-- provider_not_found, utility_not_found, reference_of_other_apartment, bill_void, bill_already_paid
-- or probable_duplicate. bill_id and provider_reference are those of the bill that the line is, or
-- probably is; else null.
CREATE OR REPLACE FUNCTION billing.issue_line(p_import jsonb, p_line jsonb, p_is_repeated boolean)
RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    line billing.bills := jsonb_populate_record(NULL::billing.bills, p_line);
    newest billing.bills := billing.newest_revision(line);
    told billing.bills := newest;
    state text := (SELECT s.state FROM billing.bill_states s WHERE s.bill_id = newest.bill_id);
    result text := 'rejected';
    rejected_code text := CASE
        WHEN p_is_repeated THEN 'reference_duplicated'
        WHEN newest.apartment_id <> line.apartment_id THEN
            coalesce(billing.missing_reference(line), 'reference_of_other_apartment')
        ELSE billing.missing_reference(line)
    END;
BEGIN
    IF rejected_code IS NOT NULL THEN
        told := NULL;
    ELSIF billing.bill_is_present(line, newest, p_import ->> 'sha256') THEN
        IF state = 'void' THEN
            rejected_code := 'bill_void';
        ELSE
            result := 'already_present';
        END IF;
    ELSIF EXISTS (
        SELECT FROM billing.imports i
        WHERE i.import_id = newest.import_id AND i.sha256 = p_import ->> 'sha256'
    ) THEN
        rejected_code := 'reference_duplicated';
    ELSIF state = 'settled' THEN
        rejected_code := 'bill_already_paid';
    ELSE
        IF state IS DISTINCT FROM 'open'
            AND (p_import ->> 'allow_duplicates')::boolean IS NOT TRUE THEN
            told := billing.probable_duplicate(line, p_import ->> 'sha256');
            rejected_code := CASE WHEN told.bill_id IS NOT NULL THEN 'probable_duplicate' END;
        END IF;
        IF rejected_code IS NULL THEN
            result := CASE WHEN newest.bill_id IS NULL THEN 'issued' ELSE 'revised' END;
            told := billing.insert_bill_revision(line, newest, (p_import ->> 'import_id')::uuid);
        END IF;
    END IF;
    RETURN jsonb_build_object(
        'line', p_line -> 'line', 'result', result, 'code', rejected_code,
        'bill_id', told.bill_id, 'provider_reference', told.provider_reference
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
