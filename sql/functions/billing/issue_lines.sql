-- Issues the lines of an import one after the other, so that a later line sees an earlier one of
-- the same reference. The caller holds all locks. Answers the lines' results in the order of the
-- lines.

CREATE OR REPLACE FUNCTION billing.issue_lines(p_import uuid, p_sha256 text, p_lines jsonb)
RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    line jsonb;
    results jsonb[] := '{}';
BEGIN
    FOR line IN
        SELECT value FROM jsonb_array_elements(p_lines) WITH ORDINALITY ORDER BY ordinality
    LOOP
        results := results || billing.issue_line(p_import, p_sha256, line);
    END LOOP;
    RETURN to_jsonb(results);
END
$$;
COMMENT ON FUNCTION billing.issue_lines(uuid, text, jsonb) IS
    'Issues the lines of an import in their order.';
