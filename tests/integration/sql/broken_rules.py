"""One way to break each named rule of the ledger: what the database must reject, rule by rule.

The statements run as the owner of the tables, who has every right, on the rows of
`test_sql_constraints.env`. `RAISE` raises the version first, so that only the named rule breaks.
"""

from __future__ import annotations

from dataclasses import dataclass

RAISE = (
    "UPDATE billing.apartment_state SET version = version + 1 WHERE apartment_id = %(apartment)s; "
)
MOVE_HEAD = RAISE.replace(
    "version + 1", "version + 1, last_seq = last_seq + 2, last_posted_at = '2999-01-01Z'"
)
CHECK_NOW = "; SET CONSTRAINTS ALL IMMEDIATE"

# A valid new row for each table, as SQL. `adding` changes some columns of it.
ROWS = {
    "utilities": {"utility": "'heating'"},
    "providers": {"provider_id": "'new'", "name": "'New'"},
    "residents": {"subject": "gen_random_uuid()", "name": "'New'"},
    "apartments": {"apartment_id": "gen_random_uuid()", "address": "'New'"},
    "apartment_state": {"apartment_id": "%(stateless)s"},
    "residencies": {
        "resident_id": "%(resident)s", "apartment_id": "%(apartment)s",
        "since": "now()", "ended_at": "now()",
    },
    "imports": {
        "import_id": "gen_random_uuid()", "file_name": "'new.csv'", "sha256": "repeat('0', 64)",
    },
    "bills": {
        "apartment_id": "%(apartment)s", "utility": "'gas'", "provider_id": "'northgas'",
        "provider_reference": "'new'", "revision": "1", "period_from": "'2026-10-01'",
        "period_to": "'2026-10-31'", "due_on": "'2026-11-15'", "amount_minor": "100",
        "currency": "'EUR'",
        "import_id": "(SELECT import_id FROM billing.bills WHERE bill_id = %(open)s)",
    },
    "open_bills": {
        "bill_id": "%(void)s", "apartment_id": "%(apartment)s",
        "amount_minor": "300", "currency": "'EUR'",
    },
    "bill_voids": {
        "bill_id": "%(open)s", "reason": "'sent in error'", "operator": "'olga'",
        "voided_at": "now()",
    },
    "bill_reinstatements": {
        "bill_id": "%(reinstated)s", "reason": "'not in error'", "operator": "'olga'",
        "reinstated_at": "now()",
    },
    "payments": {
        "receipt_number": "'R-2026-9000000000'", "resident_id": "%(resident)s",
        "apartment_id": "%(apartment)s", "total_minor": "100", "currency": "'EUR'",
        "settled_at": "now()",
    },
    "payment_lines": {
        "payment_id": "%(payment)s", "bill_id": "%(open)s", "apartment_id": "%(apartment)s",
        "amount_minor": "100", "currency": "'EUR'", "utility": "'gas'",
        "provider_id": "'northgas'", "provider_name": "'North Gas'",
        "period_from": "'2026-10-01'", "period_to": "'2026-10-31'",
    },
    "settled_bills": {
        "bill_id": "%(open)s", "payment_id": "%(payment)s", "apartment_id": "%(apartment)s",
    },
    "payment_requests": {
        "resident_id": "%(resident)s", "request_key": "'new'", "fingerprint": "repeat('0', 64)",
        "rejection": """'{"status": "rejected", "code": "bill_void"}'""", "answered_at": "now()",
    },
    "reversals": {
        "payment_id": "%(payment)s", "reason": "'paid twice'", "operator": "'olga'",
        "reversed_at": "now()",
    },
    "history": {
        "apartment_id": "%(apartment)s", "seq": "4", "posted_at": "now()", "event": "'reversal'",
        "payment_id": "%(payment)s", "bill_id": "%(paid)s",
    },
    "reply_queues": {"name": "'new'", "expires_at": "now()"},
    "deployment": {"time_zone": "'UTC'", "is_the_only_row": "TRUE"},
    "apartment_checks": {
        "apartment_id": "%(other_apartment)s", "version": "1", "last_seq": "0",
        "checked_at": "now()", "agrees": "true",
    },
    "check_positions": {"pass": "'all'", "next_apartment": "gen_random_uuid()"},
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A statement, and the one rule that it breaks."""

    rule: str
    statement: str


def adding(rule: str, table: str, *, first: str = RAISE, **changed: str) -> Case:
    """Break a rule by adding a row that is valid but for the changed columns."""
    row = ROWS[table] | changed
    columns, values = ", ".join(row), ", ".join(row.values())
    return statement(rule, f"INSERT INTO billing.{table} ({columns}) VALUES ({values})", first)


def posting(rule: str, **changed: str) -> Case:
    """Break a rule of history after its head was moved two events on."""
    return adding(rule, "history", first=MOVE_HEAD, **changed)


def statement(rule: str, text: str, first: str = RAISE) -> Case:
    """Break a rule by any statement, with the version raised first."""
    return Case(rule, first + text + CHECK_NOW)


def moving(assignments: str) -> Case:
    """Move an apartment's version or the head of its history as they must not move."""
    text = f"UPDATE billing.apartment_state SET {assignments} WHERE apartment_id = %(apartment)s"
    return Case("version_grows_by_one", text)


def unraised(table: str, text: str) -> Case:
    """Change rows of a table without raising the version."""
    return Case(f"{table}_move_the_version", text)


def truncated(table: str) -> Case:
    """Truncate a table."""
    return statement(f"{table}_reject_truncate", f"TRUNCATE billing.{table} CASCADE")


def updated(table: str) -> Case:
    """Update a row without changing it."""
    column = next(iter(ROWS[table]))
    text = f"UPDATE billing.{table} SET {column} = {column}"
    return statement(f"{table}_reject_changes", text)


def deleted(table: str) -> Case:
    """Delete rows."""
    return statement(f"{table}_reject_changes", f"DELETE FROM billing.{table}")


NEITHER_UPDATED_NOR_DELETED = (
    "imports", "bills", "bill_voids", "bill_reinstatements", "payments", "payment_lines",
    "payment_requests", "reversals", "history",
)  # fmt: skip
NOT_UPDATED = ("open_bills", "settled_bills")
NOT_DELETED = ("apartment_state", "residencies")

KEYS = [
    statement(f"{table}_pkey", f"INSERT INTO billing.{table} SELECT * FROM billing.{table} LIMIT 1")
    for table in ROWS
]
KEPT = [
    *map(updated, NEITHER_UPDATED_NOR_DELETED + NOT_UPDATED),
    *map(deleted, NEITHER_UPDATED_NOR_DELETED + NOT_DELETED),
    *map(truncated, NEITHER_UPDATED_NOR_DELETED + NOT_UPDATED + NOT_DELETED),
]

PEOPLE = [
    adding("utility_is_a_lower_case_word", "utilities", utility="'Gas!'"),
    adding("provider_id_is_short", "providers", provider_id="'two words'"),
    adding("provider_name_is_not_blank", "providers", name="' '"),
    adding("resident_subject_is_unique", "residents", subject="%(subject)s"),
    adding("resident_name_is_not_blank", "residents", name="''"),
    adding("apartment_address_is_not_blank", "apartments", address="''"),
    adding(
        "apartment_state_is_of_an_apartment", "apartment_state", apartment_id="gen_random_uuid()"
    ),
    adding("apartment_version_is_positive", "apartment_state", version="0"),
    adding("apartment_last_seq_is_not_negative", "apartment_state",
           last_seq="-1", last_posted_at="now()"),
    adding("apartment_is_stamped_once_it_has_history", "apartment_state", last_seq="1"),
    adding("residency_is_of_a_resident", "residencies", resident_id="gen_random_uuid()"),
    adding("residency_is_in_an_apartment", "residencies", apartment_id="gen_random_uuid()"),
    adding("residency_since_is_finite", "residencies", since="'-infinity'"),
    adding("residency_ends_after_it_began", "residencies", ended_at="'2000-01-01Z'"),
    adding("residency_lasts_once", "residencies", ended_at="NULL"),
    statement("residency_only_ends", "UPDATE billing.residencies SET since = now()"),
    adding("reply_queue_name_fits_sqs", "reply_queues", name="'a/b'"),
    adding("check_is_of_an_apartment", "apartment_checks", apartment_id="gen_random_uuid()"),
    adding("check_pass_is_known", "check_positions", **{"pass": "'some'"}),
]  # fmt: skip

BILLS = [
    adding("import_file_name_is_not_blank", "imports", file_name="''"),
    adding("import_sha256_is_hexadecimal", "imports", sha256="'x'"),
    adding("bill_revision_is_unique", "bills", provider_reference="'twice'"),
    adding("bill_is_replaced_once", "bills",
           provider_reference="'twice'", revision="3", replaces="%(replaced)s"),
    adding("bill_is_for_an_apartment", "bills", apartment_id="gen_random_uuid()"),
    adding("bill_is_for_a_utility", "bills", utility="'coal'"),
    adding("bill_is_from_a_provider", "bills", provider_id="'nobody'"),
    adding("bill_came_with_an_import", "bills", import_id="gen_random_uuid()"),
    adding("bill_replaces_one_of_its_origin", "bills", revision="2", replaces="%(void)s"),
    *(
        adding("bill_replaces_one_of_its_origin", "bills", revision="2", replaces="%(once)s",
               **{"provider_reference": "'once'", **other})
        for other in (
            {"utility": "'water'"}, {"period_from": "'2026-10-02'"}, {"period_to": "'2026-10-30'"},
            {"provider_reference": "'other'"}, {"apartment_id": "%(other_apartment)s"},
        )
    ),
    adding("bill_reference_is_normalized", "bills", provider_reference="U&'u\\0308'"),
    adding("bill_reference_is_not_blank", "bills", provider_reference="' '"),
    adding("bill_revision_is_positive", "bills", revision="0", replaces="%(void)s"),
    adding("bill_first_revision_replaces_nothing", "bills", revision="2"),
    adding("bill_period_is_in_order", "bills", period_to="'2026-09-30'"),
    adding("bill_amount_is_positive", "bills", amount_minor="0"),
    adding("bill_amount_is_sane", "bills", amount_minor="1000000000001"),
    adding("bill_currency_is_a_code", "bills", currency="'euro'"),
    adding("bill_has_one_state", "bills"),
    adding("bill_has_one_state", "bills",
           provider_reference="'paid'", revision="2", replaces="%(paid)s"),
    adding("open_bill_says_what_the_bill_says", "open_bills", amount_minor="299"),
    adding("open_bill_says_what_the_bill_says", "open_bills", currency="'USD'"),
    adding("open_bill_says_what_the_bill_says", "open_bills", apartment_id="%(other_apartment)s"),
    adding("open_bill_has_one_state", "open_bills"),
    adding("open_bill_has_one_state", "open_bills", bill_id="%(paid)s", amount_minor="200"),
    statement("open_bill_has_one_state", "DELETE FROM billing.open_bills WHERE bill_id = %(open)s"),
    unraised("open_bills", "DELETE FROM billing.open_bills WHERE bill_id = %(open)s"),
    adding("void_is_of_a_bill", "bill_voids", bill_id="gen_random_uuid()"),
    adding("void_has_a_reason", "bill_voids", reason="' '"),
    adding("void_has_an_operator", "bill_voids", operator="''"),
    adding("void_bill_has_one_state", "bill_voids"),
    adding("reinstatement_is_of_a_void", "bill_reinstatements", bill_id="%(replaced)s"),
    adding("reinstated_bill_is_replaced", "bill_reinstatements", bill_id="%(void)s"),
    adding("reinstatement_has_a_reason", "bill_reinstatements", reason="''"),
    adding("reinstatement_has_an_operator", "bill_reinstatements", operator="' '"),
]  # fmt: skip

PAYMENTS = [
    adding("payment_receipt_number_is_unique", "payments", receipt_number="%(receipt)s"),
    adding("payment_is_by_a_resident", "payments", resident_id="gen_random_uuid()"),
    adding("payment_is_for_an_apartment", "payments", apartment_id="gen_random_uuid()"),
    adding("payment_receipt_number_is_readable", "payments", receipt_number="'1'"),
    adding("payment_total_is_positive", "payments", total_minor="0"),
    adding("payment_currency_is_a_code", "payments", currency="'eur'"),
    adding("payment_is_the_sum_of_its_lines", "payments"),
    adding("line_belongs_to_its_payment", "payment_lines", payment_id="gen_random_uuid()"),
    adding("line_says_what_the_bill_says", "payment_lines", amount_minor="99"),
    adding("lines_stay_within_the_total", "payment_lines"),
    adding("settled_bill_has_a_line", "settled_bills"),
    adding("settled_bill_has_one_state", "settled_bills",
           bill_id="%(reversed)s", payment_id="%(reversed_payment)s"),
    statement("settled_bill_has_one_state",
              "DELETE FROM billing.settled_bills WHERE bill_id = %(paid)s"),
    unraised("settled_bills", "DELETE FROM billing.settled_bills WHERE bill_id = %(paid)s"),
    adding("request_is_by_a_resident", "payment_requests", resident_id="gen_random_uuid()"),
    adding("request_payment_is_unique", "payment_requests",
           payment_id="%(payment)s", rejection="NULL"),
    adding("request_made_a_payment_of_its_resident", "payment_requests",
           payment_id="gen_random_uuid()", rejection="NULL"),
    adding("request_key_is_short", "payment_requests", request_key="repeat('k', 201)"),
    adding("request_key_is_short", "payment_requests", request_key="''"),
    adding("request_fingerprint_is_hexadecimal", "payment_requests", fingerprint="'x'"),
    adding("request_is_settled_or_rejected", "payment_requests", rejection="NULL"),
    adding("request_is_settled_or_rejected", "payment_requests", payment_id="%(payment)s"),
    adding("request_rejection_has_a_code", "payment_requests", rejection="'{}'"),
    adding("request_rejection_is_small", "payment_requests",
           rejection="""jsonb_build_object('code', repeat('x', 2000))"""),
    adding("payment_is_reversed_once", "reversals", payment_id="%(reversed_payment)s"),
    adding("reversal_is_of_a_payment", "reversals", payment_id="gen_random_uuid()"),
    adding("reversal_has_a_reason", "reversals", reason="''"),
    adding("reversal_has_an_operator", "reversals", operator="' '"),
]  # fmt: skip

HISTORY = [
    posting("history_instant_is_unique",
            posted_at="(SELECT posted_at FROM billing.history"
                      " WHERE apartment_id = %(apartment)s AND seq = 3)"),
    posting("history_event_is_unique", event="'payment'"),
    posting("history_is_of_a_line", bill_id="%(open)s"),
    posting("history_starts_at_one", seq="0"),
    posting("history_event_is_known", event="'refund'"),
    posting("history_follows_without_gap", seq="5"),
    posting("history_follows_without_gap", posted_at="'2000-01-01Z'"),
    adding("history_follows_without_gap", "history"),
    unraised("residencies", "UPDATE billing.residencies SET ended_at = now()"),
    moving("version = version"),
    moving("version = version + 2"),
    moving("version = version - 1"),
    moving("version = version + 1, last_seq = last_seq - 1"),
    moving("version = version + 1, last_seq = last_seq + 1"),
    moving("version = version + 1, last_posted_at = now()"),
    moving("version = version + 1, last_seq = last_seq + 1, last_posted_at = '2000-01-01Z'"),
    moving("version = version + 1, apartment_id = %(stateless)s"),
]  # fmt: skip

DEPLOYMENT = [
    adding("deployment_pkey", "deployment"),
    adding("deployment_has_one_row", "deployment", is_the_only_row="FALSE"),
]

CASES = [*DEPLOYMENT, *KEYS, *KEPT, *PEOPLE, *BILLS, *PAYMENTS, *HISTORY]
