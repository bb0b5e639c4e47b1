-- Why these open bills can't be paid together for the total that the payer saw: currency_mixed,
-- then total_changed. Null when they can. The caller holds the apartment's lock.

CREATE OR REPLACE FUNCTION billing.unexpected_total(p_bill_set uuid[], p_expected_total bigint)
RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    currencies text[];
    total bigint;
BEGIN
    SELECT array_agg(DISTINCT currency ORDER BY currency), sum(amount_minor) INTO currencies, total
    FROM billing.open_bills WHERE bill_id = ANY (p_bill_set);
    IF cardinality(currencies) > 1 THEN
        RETURN billing.rejected(
            'currency_mixed', 'Bills in different currencies can''t be paid together.',
            jsonb_build_object('currencies', currencies)
        );
    END IF;
    IF total <> p_expected_total THEN
        RETURN billing.rejected(
            'total_changed', 'The total is no longer the expected one.',
            jsonb_build_object('total_minor', total, 'expected_total_minor', p_expected_total)
        );
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION billing.unexpected_total(uuid[], bigint) IS
    'The rejection for bills of several currencies or of another total; null when there is none.';
