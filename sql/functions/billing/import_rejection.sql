-- Notes the import down, or finds the note of an earlier chunk of the same file. Answers a rejection,
-- import_id_reused, when the id is another file's; else null.

CREATE OR REPLACE FUNCTION billing.import_rejection(p_import jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO billing.imports (import_id, file_name, sha256)
    VALUES ((p_import ->> 'import_id')::uuid, p_import ->> 'file_name', p_import ->> 'sha256')
    ON CONFLICT ON CONSTRAINT imports_pkey DO NOTHING;
    IF NOT EXISTS (
        SELECT FROM billing.imports
        WHERE import_id = (p_import ->> 'import_id')::uuid AND sha256 = p_import ->> 'sha256'
    ) THEN
        RETURN billing.rejected('import_id_reused', 'This import id was used for another file.');
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION billing.import_rejection(jsonb) IS
    'Notes an import down; the rejection when its id belongs to another file.';
