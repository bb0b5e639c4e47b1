"""Bugs that would let somebody read or pay what is another's."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

BATCH = "tests/unit/chalicelib/test_batch.py"
CACHED = "tests/unit/billing_app/test_cached_ledger.py"
RULES = "tests/unit/gateway/test_gateway_template_rules.py"
TEMPLATES = "tests/unit/gateway/test_gateway_templates.py"

PRIVACY = (
    Mutation(
        name="subject_taken_from_the_body",
        endangers=("I7",),
        file="chalicelib/records.py",
        old='    subject = _attribute(attributes, "subject")\n',
        new='    subject = fields.get("subject") or _attribute(attributes, "subject")\n',
        caught_by=("tests/unit/chalicelib/test_records.py", BATCH),
    ),
    Mutation(
        name="value_not_encoded",
        endangers=("I7",),
        file="terraform/modules/api/openapi.yaml",
        old="&MessageAttribute.4.Value.StringValue=$util.urlEncode($key)##",
        new="&MessageAttribute.4.Value.StringValue=$key##",
        caught_by=(f"{RULES}::test_every_value_that_a_request_template_prints_is_encoded",),
    ),
    Mutation(
        name="reply_queue_of_whoever_knows_its_name",
        endangers=("I7",),
        file="billing_app/adapters/queue_names.py",
        old='return f"{prefix}-r-{subject.hex}-{queue_name.hex}"',
        new='return f"{prefix}-r-{queue_name.hex}"',
        caught_by=(BATCH,),
    ),
    Mutation(
        name="polled_queue_not_bound_to_the_caller",
        endangers=("I7",),
        file="terraform/modules/api/openapi.yaml",
        old=(
            "'20'))##\n    #set($context.requestOverride.path.queue"
            " = '${prefix}-r-' + $caller + '-' + $name)##\n"
        ),
        new=(
            "'20'))##\n    #set($context.requestOverride.path.queue = '${prefix}-r-' + $name)##\n"
        ),
        caught_by=(f"{TEMPLATES}::test_a_queue_name_is_the_same_in_any_spelling",),
    ),
    Mutation(
        name="former_resident_may_still_act",
        endangers=("I7",),
        file="sql/functions/internal/access.sql",
        old="        AND ended_at IS NULL AND since <= clock_timestamp()\n",
        new="        AND since <= clock_timestamp()\n",
        caught_by=("tests/integration/sql/test_sql_pay.py",),
    ),
    Mutation(
        name="residency_not_asked_again_under_the_lock",
        endangers=("I7",),
        file="sql/functions/internal/access.sql",
        old="    RETURN billing.visible_from(p_resident, p_apartment) IS NOT NULL;\n",
        new="    RETURN true;\n",
        caught_by=("tests/integration/sql/test_sql_locks.py",),
    ),
    Mutation(
        name="bills_of_another_apartment_payable",
        endangers=("I7",),
        file="sql/functions/internal/payments.sql",
        old="        WHERE bill_id = ANY (p_bill_set) AND apartment_id = p_apartment\n",
        new="        WHERE bill_id = ANY (p_bill_set)\n",
        caught_by=("tests/integration/sql/test_sql_pay.py",),
    ),
    Mutation(
        name="cached_history_of_another_resident",
        endangers=("I7",),
        file="billing_app/adapters/cached_ledger.py",
        old='key=f"history:{apartment_id.hex}:{subject.hex}:{page}",',
        new='key=f"history:{apartment_id.hex}:{page}",',
        caught_by=(f"{CACHED}::test_a_cached_history_is_shown_to_nobody_who_sees_less",),
    ),
    Mutation(
        name="role_may_read_tables",
        endangers=("I7",),
        file="sql/grants/roles.sql",
        old="GRANT USAGE ON SCHEMA api TO billing_writer, billing_reader, billing_operator;\n",
        new=(
            "GRANT USAGE ON SCHEMA api TO billing_writer, billing_reader, billing_operator;\n"
            "GRANT SELECT ON billing.payments TO billing_reader;\n"
        ),
        caught_by=(
            "tests/integration/sql/test_sql_roles.py::test_a_role_has_no_right_to_any_table",
        ),
    ),
    Mutation(
        name="cached_debts_of_an_apartment_of_others",
        endangers=("I7",),
        file="billing_app/adapters/cached_ledger.py",
        old=(
            "        if access is None:\n            return None\n"
            "        if cached is not None and cached.version == access.version:\n"
        ),
        new=(
            "        if cached is not None and"
            " (access is None or cached.version == access.version):\n"
        ),
        caught_by=(f"{CACHED}::test_cached_debts_are_shown_to_nobody_who_may_not_see_them",),
    ),
    Mutation(
        name="debts_of_an_apartment_of_others",
        endangers=("I7",),
        file="sql/functions/api/bills.sql",
        old="        FROM api.apartment_access(p_subject, p_apartment) access\n",
        new="        FROM billing.apartment_state access WHERE access.apartment_id = p_apartment\n",
        caught_by=(
            "tests/contract/test_ledger_contract.py",
            "tests/integration/sql/test_sql_residents.py",
        ),
    ),
    Mutation(
        name="history_from_before_moving_in",
        endangers=("I7",),
        file="sql/functions/api/history.sql",
        old="billing.position_at(p_apartment, a.visible_from)),",
        new="1),",
        caught_by=("tests/integration/sql/test_sql_history.py",),
    ),
    Mutation(
        name="key_shared_by_all_residents",
        endangers=("I7", "I5"),
        file="sql/functions/internal/payments.sql",
        old="    WHERE resident_id = p_resident AND request_key = p_request_key;\n",
        new="    WHERE request_key = p_request_key;\n",
        caught_by=("tests/integration/sql/test_sql_pay.py",),
    ),
    Mutation(
        name="cursor_of_another_apartment",
        endangers=("I7", "I10"),
        file="chalicelib/cursors.py",
        old="    if apartment != apartment_id:\n",
        new="    if False:\n",
        caught_by=(
            "tests/unit/chalicelib/test_cursors.py::test_a_cursor_of_another_apartment_is_rejected",
        ),
    ),
    Mutation(
        name="move_out_does_not_wait_for_payments",
        endangers=("I7",),
        file="sql/functions/api/access.sql",
        old=(
            "    ended timestamptz;\nBEGIN\n"
            "    PERFORM billing.lock_apartments(ARRAY[p_apartment]);\n"
        ),
        new="    ended timestamptz;\nBEGIN\n",
        caught_by=("tests/integration/sql/test_sql_locks.py",),
    ),
)
