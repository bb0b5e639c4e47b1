-- Adds the resident behind a user. Answers: done; rejected with resident_exists, naming the
-- resident, so that a repetition knows whom it met. Locks nothing that others wait for.

CREATE OR REPLACE FUNCTION api.add_resident(p_subject uuid, p_name text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = billing, pg_temp AS $$
DECLARE
    added uuid;
BEGIN
    INSERT INTO billing.residents (subject, name) VALUES (p_subject, p_name)
    ON CONFLICT ON CONSTRAINT resident_subject_is_unique DO NOTHING
    RETURNING resident_id INTO added;
    IF added IS NULL THEN
        RETURN billing.rejected(
            'resident_exists', 'This user is a resident already.',
            jsonb_build_object(
                'resident_id', billing.resident_of(p_subject), 'subject', p_subject
            )
        );
    END IF;
    RETURN billing.done(
        jsonb_build_object('resident_id', added, 'subject', p_subject, 'name', p_name)
    );
END
$$;
COMMENT ON FUNCTION api.add_resident(uuid, text) IS 'Adds the resident with this sub and name.';
