"""Bugs that would pay twice, lose a payment, or answer one payment in two ways."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

PAY = "tests/integration/sql/test_sql_pay.py"
RACES = "tests/integration/sql/test_sql_races.py"
LOCKS = "tests/integration/sql/test_sql_locks.py"
RECORDS = "tests/unit/chalicelib/test_records.py"
CONSTRAINTS = "tests/integration/sql/test_sql_constraints.py"
CONNECTIONS = "tests/integration/test_connections.py"
DURABILITY = "tests/integration/test_durability.py"

PAYMENTS = (
    Mutation(
        name="reply_before_commit",
        endangers=("I4",),
        file="billing_app/adapters/connections.py",
        old="        connection.autocommit = True\n",
        new="        connection.autocommit = False\n",
        caught_by=(DURABILITY,),
    ),
    Mutation(
        name="connection_does_not_wait_for_the_disk",
        endangers=("I4",),
        file="billing_app/adapters/connections.py",
        old="        connection.autocommit = True\n",
        new=(
            "        connection.autocommit = True\n"
            "        connection.cursor().execute('SET synchronous_commit = off')\n"
        ),
        caught_by=(DURABILITY,),
    ),
    Mutation(
        name="payment_does_not_wait_for_the_disk",
        endangers=("I4",),
        file="sql/functions/api/payments.sql",
        old="        payment := billing.insert_payment(payer, p_apartment, bill_set);\n",
        new=(
            "        payment := billing.insert_payment(payer, p_apartment, bill_set);\n"
            "        PERFORM set_config('synchronous_commit', 'off', true);\n"
        ),
        caught_by=(DURABILITY,),
    ),
    Mutation(
        name="no_key_at_the_edge",
        endangers=("I1", "I5"),
        file="chalicelib/records.py",
        old="    return key\n",
        new="    return request.request_id\n",
        caught_by=(RECORDS,),
    ),
    Mutation(
        name="redelivery_has_another_key",
        endangers=("I5", "I6"),
        file="chalicelib/records.py",
        old="        return request.request_id\n",
        new='        return f"{request.request_id}/{request.receive_count}"\n',
        caught_by=(RECORDS,),
    ),
    Mutation(
        name="no_key_in_the_ledger",
        endangers=("I5", "I6"),
        file="sql/functions/internal/payments.sql",
        old="    IF NOT FOUND THEN\n",
        new="    IF true THEN\n",
        caught_by=(PAY,),
    ),
    Mutation(
        name="key_checked_without_its_lock",
        endangers=("I5",),
        file="sql/functions/api/payments.sql",
        old=(
            "    PERFORM pg_advisory_xact_lock("
            "hashtextextended(payer || ' ' || p_request_key, 0));\n"
        ),
        new="",
        caught_by=(f"{RACES}::test_the_same_request_twice_at_once_gets_one_answer",),
    ),
    Mutation(
        name="fingerprint_without_the_bills",
        endangers=("I5",),
        file="sql/functions/internal/payments.sql",
        old="jsonb_build_array(p_apartment, to_jsonb(p_bill_set), p_expected_total)",
        new="jsonb_build_array(p_apartment, p_expected_total)",
        caught_by=(PAY,),
    ),
    Mutation(
        name="rejections_not_stored",
        endangers=("I5", "I6"),
        file="sql/functions/api/payments.sql",
        old="    INSERT INTO billing.payment_requests\n",
        new=(
            "    IF answer IS NOT NULL THEN\n        RETURN answer;\n    END IF;\n"
            "    INSERT INTO billing.payment_requests\n"
        ),
        caught_by=(PAY,),
    ),
    Mutation(
        name="receipt_with_todays_names",
        endangers=("I5",),
        file="sql/functions/internal/payments.sql",
        old="billing.provider(l.provider_id, l.provider_name)",
        new=(
            "(SELECT billing.provider(o.provider_id, o.name)"
            " FROM billing.providers o WHERE o.provider_id = l.provider_id)"
        ),
        caught_by=(PAY,),
    ),
    Mutation(
        name="check_then_act",
        endangers=("I1", "I8"),
        file="sql/functions/internal/access.sql",
        old="    PERFORM billing.lock_apartments(ARRAY[p_apartment]);\n",
        new="",
        caught_by=(f"{RACES}::test_one_of_two_payments_for_a_bill_wins",),
    ),
    Mutation(
        name="locks_unsorted",
        endangers=("I5",),
        file="sql/functions/internal/access.sql",
        old="    ORDER BY apartment_id\n",
        new="",
        caught_by=(LOCKS,),
    ),
    Mutation(
        name="live_line_not_unique",
        endangers=("I1",),
        file="sql/migrations/0004_payments.sql",
        old="    CONSTRAINT settled_bills_pkey PRIMARY KEY (bill_id),\n",
        new="",
        caught_by=(f"{CONSTRAINTS}::test_a_broken_rule_is_rejected_by_its_name",),
    ),
    Mutation(
        name="total_of_no_lines",
        endangers=("I2",),
        file="sql/migrations/0007_rules.sql",
        old="CREATE CONSTRAINT TRIGGER payment_is_the_sum_of_its_lines",
        new=(
            "CREATE FUNCTION billing.pass() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN NULL; END';\n"
            "COMMENT ON FUNCTION billing.pass() IS 'Passes.';\n"
            "CREATE CONSTRAINT TRIGGER payment_is_the_sum_of_its_lines_once\n"
            "    AFTER INSERT ON billing.payments DEFERRABLE INITIALLY DEFERRED\n"
            "    FOR EACH ROW EXECUTE FUNCTION billing.pass();\n"
            "CREATE CONSTRAINT TRIGGER payment_is_the_sum_of_some_lines"
        ),
        caught_by=(f"{CONSTRAINTS}::test_a_broken_rule_is_rejected_by_its_name",),
    ),
    Mutation(
        name="expected_total_unchecked",
        endangers=("I2",),
        file="sql/functions/internal/payments.sql",
        old="    IF total <> p_expected_total THEN\n",
        new="    IF false THEN\n",
        caught_by=(PAY,),
    ),
    Mutation(
        name="bills_of_two_currencies_together",
        endangers=("I2",),
        file="sql/functions/internal/payments.sql",
        old="    IF cardinality(currencies) > 1 THEN\n",
        new="    IF false THEN\n",
        caught_by=(PAY,),
    ),
    Mutation(
        name="reversed_bill_stays_closed",
        endangers=("I3",),
        file="sql/functions/internal/payments.sql",
        old=(
            "    INSERT INTO billing.open_bills (bill_id, apartment_id, amount_minor, currency)\n"
            "    SELECT bill_id, apartment_id, amount_minor, currency\n"
            "    FROM billing.payment_lines WHERE payment_id = p_payment.payment_id;\n"
        ),
        new="",
        caught_by=("tests/integration/sql/test_sql_reversals.py",),
    ),
    Mutation(
        name="expected_total_lost_at_the_edge",
        endangers=("I2",),
        file="chalicelib/operations.py",
        old='expected_total_minor=body.get("expected_total_minor"),',
        new="expected_total_minor=None,",
        caught_by=("tests/unit/chalicelib/test_operations.py",),
    ),
    Mutation(
        name="void_without_the_lock",
        endangers=("I3",),
        file="sql/functions/api/bills.sql",
        old="    PERFORM billing.lock_apartments(ARRAY[apartment]);\n",
        new="",
        caught_by=(LOCKS,),
    ),
    Mutation(
        name="reversal_without_the_lock",
        endangers=("I3", "I8"),
        file="sql/functions/api/payments.sql",
        old="    PERFORM billing.lock_apartments(ARRAY[payment.apartment_id]);\n",
        new="",
        caught_by=(f"{RACES}::test_a_payment_is_reversed_by_one_of_two_operators",),
    ),
    Mutation(
        name="rotated_password_not_fetched",
        endangers=("I5",),
        file="billing_app/adapters/connections.py",
        old="        self._renew_secret()\n",
        new="",
        caught_by=(f"{CONNECTIONS}::test_a_password_that_was_rotated_while_warm_is_fetched_again",),
    ),
)
