-- The results of an import without the ids of bills that a dry run issued and undid.

CREATE OR REPLACE FUNCTION billing.without_new_bills(p_results jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT coalesce(
            jsonb_agg(result || jsonb_build_object('bill_id', b.bill_id) ORDER BY place), '[]'
        )
        FROM jsonb_array_elements(p_results) WITH ORDINALITY AS t (result, place)
        LEFT JOIN billing.bills b ON b.bill_id = (result ->> 'bill_id')::uuid
    );
END
$$;
COMMENT ON FUNCTION billing.without_new_bills(jsonb) IS
    'An import''s results without the ids of bills that were undone.';
