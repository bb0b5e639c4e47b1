-- Issues the bills of an import, or of a chunk of it, in one transaction; a line that can't be
-- issued is rejected alone. The same bill sent again is recognized by (provider, reference): same
-- content adds nothing, other content replaces the bill while it is open, and is rejected once it
-- is paid.
--
-- Lock order: the advisory lock of imports, so that two files with one new reference don't meet;
-- then the apartments' rows, sorted. A dry run does all of it and undoes it: it answers the same,
-- but for the ids of bills that don't exist.
-- Answers: done with {"lines": [{"line", "result", "code", "bill_id"}]} (see billing.issue_line);
-- rejected with import_id_reused.

CREATE OR REPLACE FUNCTION api.issue_bills(p_import jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    import uuid := p_import ->> 'import_id';
    dry_run boolean := coalesce((p_import ->> 'dry_run')::boolean, false);
    rejection jsonb;
    results jsonb;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('billing.issue_bills', 0));
    PERFORM billing.lock_apartments(array_agg(DISTINCT (line ->> 'apartment_id')::uuid))
    FROM jsonb_array_elements(p_import -> 'lines') AS t (line);
    BEGIN
        rejection := billing.import_rejection(p_import);
        IF rejection IS NULL THEN
            results := billing.issue_lines(import, p_import ->> 'sha256', p_import -> 'lines');
        END IF;
        IF dry_run THEN
            RAISE EXCEPTION USING ERRCODE = 'BDRYR', MESSAGE = 'dry run';
        END IF;
    EXCEPTION WHEN SQLSTATE 'BDRYR' THEN
        results := billing.without_new_bills(results);
    END;
    RETURN coalesce(rejection, billing.done(jsonb_build_object('lines', results)));
END
$$;
COMMENT ON FUNCTION api.issue_bills(jsonb) IS
    'Issues the bills of an import; a dry run only tells.';
