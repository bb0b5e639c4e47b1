-- Constraints and triggers make each of these contradictions impossible; the views find what got
-- past them, for example through a restore, a superuser or a bug in a rule. Tests read them after
-- every scenario, and the reconciliation on a schedule.
--
-- belongs_to is the apartment that a row belongs to, or the first column of the row's own key where
-- the apartment can't be known because the row's parent is missing. Each view finds its rows by an
-- index on belongs_to: a check goes through the ledger in ranges of it. Without such a condition a
-- view reads whole tables, so never query it like that per request.

CREATE OR REPLACE VIEW billing.billing_violations AS
SELECT rule, subject, detail, belongs_to FROM billing.apartment_violations
UNION ALL
SELECT rule, subject, detail, belongs_to FROM billing.bill_violations
UNION ALL
SELECT rule, subject, detail, belongs_to FROM billing.payment_violations
UNION ALL
SELECT rule, subject, detail, belongs_to FROM billing.history_violations;

COMMENT ON VIEW billing.billing_violations IS
    'Contradictions in the ledger: empty while it is consistent. rule names what is broken, subject'
    ' the row, detail what was found.';

-- Contradictions in these apartments, or in all that has an id from p_from to before p_end (null:
-- to the last).
CREATE OR REPLACE FUNCTION billing.violations_of(
    p_only_these boolean, p_apartments uuid[], p_from uuid, p_end uuid
) RETURNS billing.billing_violations[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_only_these THEN
        RETURN ARRAY(
            SELECT v FROM billing.billing_violations v WHERE v.belongs_to = ANY (p_apartments)
        );
    END IF;
    RETURN ARRAY(
        SELECT v FROM billing.billing_violations v
        WHERE v.belongs_to >= p_from
            AND v.belongs_to < coalesce(p_end, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    );
END
$$;

-- Checks the apartments of a page, or all that has an id in its range, and remembers that.
CREATE OR REPLACE FUNCTION billing.check_page(
    p_page billing.apartment_checks[], p_only_these boolean, p_from uuid, p_end uuid
) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    violations billing.billing_violations[] := billing.violations_of(
        p_only_these, ARRAY(SELECT apartment_id FROM unnest(p_page)), p_from, p_end
    );
BEGIN
    PERFORM billing.remember_checks(p_page, ARRAY(SELECT belongs_to FROM unnest(violations)));
    RETURN jsonb_build_object(
        'checked', cardinality(p_page), 'next', p_end, 'violations', to_jsonb(violations)
    );
END
$$;
