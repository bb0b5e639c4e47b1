-- The bills of a request as a set: order and repetition in the request mean nothing.

CREATE OR REPLACE FUNCTION billing.bill_set(p_bills uuid[]) RETURNS uuid[]
LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(DISTINCT bill_id ORDER BY bill_id), '{}')
    FROM unnest(p_bills) AS t (bill_id)
    WHERE bill_id IS NOT NULL
$$;
COMMENT ON FUNCTION billing.bill_set(uuid[]) IS 'The ids sorted, each once.';
