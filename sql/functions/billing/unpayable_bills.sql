-- Why these bills can't be paid as they are: the first rejection that applies, with the offending
-- ids, in the order bill_not_found, bill_void, bill_already_paid. Null when all are open bills of
-- the apartment. A bill of another apartment reads like one that does not exist; a replaced one
-- like a void one. The caller holds the apartment's lock.

CREATE OR REPLACE FUNCTION billing.unpayable_bills(p_apartment uuid, p_bill_set uuid[])
RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    rejected_code text;
    rejected_bills jsonb;
BEGIN
    -- The usual case, told by the small table alone.
    IF cardinality(p_bill_set) = (
        SELECT count(*) FROM billing.open_bills
        WHERE bill_id = ANY (p_bill_set) AND apartment_id = p_apartment
    ) THEN
        RETURN NULL;
    END IF;

    SELECT code, to_jsonb(array_agg(bill_id ORDER BY bill_id)) INTO rejected_code, rejected_bills
    FROM (
        SELECT wanted.bill_id, s.state, CASE s.state
            WHEN 'open' THEN NULL
            WHEN 'settled' THEN 'bill_already_paid'
            WHEN 'void' THEN 'bill_void'
            WHEN 'replaced' THEN 'bill_void'
            ELSE 'bill_not_found'
        END AS code
        FROM unnest(p_bill_set) AS wanted (bill_id)
        LEFT JOIN billing.bill_states s
            ON s.bill_id = wanted.bill_id AND s.apartment_id = p_apartment
    ) b
    WHERE code IS NOT NULL
    GROUP BY code
    ORDER BY array_position(ARRAY['bill_not_found', 'bill_void', 'bill_already_paid'], code)
    LIMIT 1;

    RETURN CASE rejected_code
        WHEN 'bill_not_found' THEN billing.rejected(
            rejected_code, 'Some of these bills are not bills of this apartment.',
            jsonb_build_object('bills', rejected_bills))
        WHEN 'bill_void' THEN billing.rejected(
            rejected_code, 'Some of these bills were withdrawn or replaced by the provider.',
            jsonb_build_object('bills', rejected_bills))
        WHEN 'bill_already_paid' THEN billing.rejected(
            rejected_code, 'Some of these bills are paid already.',
            jsonb_build_object('bills', rejected_bills))
    END;
END
$$;
COMMENT ON FUNCTION billing.unpayable_bills(uuid, uuid[]) IS
    'The rejection for bills that are not open in this apartment; null when all are.';
