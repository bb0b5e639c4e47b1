"""One way to break each named rule of the books: what the database must reject, rule by rule.

The statements run as the owner of the tables, who has every right, in the scene of
`test_sql_constraints.scene`. `RAISE` raises the version first, so that only the named rule breaks.
"""

from dataclasses import dataclass

from tests.integration.sql.valid_rows import ROWS

RAISE = (
    "UPDATE billing.apartment_state SET version = version + 1 WHERE apartment_id = %(apartment)s; "
)
CHECK_NOW = "; SET CONSTRAINTS ALL IMMEDIATE"


@dataclass(frozen=True)
class Case:
    """A statement, and the one rule that it breaks."""

    rule: str
    statement: str


def adding(rule: str, table: str, **changed: str) -> Case:
    """Break a rule by adding a row that is valid but for the changed columns."""
    row = ROWS[table] | changed
    columns, values = ", ".join(row), ", ".join(row.values())
    insert = f"INSERT INTO billing.{table} ({columns}) VALUES ({values})"
    return Case(rule, RAISE + insert + CHECK_NOW)


def statement(rule: str, text: str) -> Case:
    """Break a rule by any statement, with the version raised first."""
    return Case(rule, RAISE + text + CHECK_NOW)


def unraised(rule: str, text: str) -> Case:
    """Break the rule that the version moves with every change."""
    return Case(rule, text)


def kept(table: str) -> list[Case]:
    """Update, delete and truncate rows of a table that is only ever added to."""
    column = next(iter(ROWS[table]))
    return [
        statement(f"{table}_reject_changes", f"UPDATE billing.{table} SET {column} = {column}"),
        statement(f"{table}_reject_changes", f"DELETE FROM billing.{table}"),
        statement(f"{table}_reject_truncate", f"TRUNCATE billing.{table} CASCADE"),
    ]


PEOPLE = [
    adding("utilities_pkey", "utilities", utility="'gas'"),
    adding("utility_is_a_lower_case_word", "utilities", utility="'Gas!'"),
    adding("providers_pkey", "providers", provider_id="'northgas'"),
    adding("provider_id_is_short", "providers", provider_id="'two words'"),
    adding("provider_name_is_not_blank", "providers", name="' '"),
    adding("residents_pkey", "residents", resident_id="%(resident)s"),
    adding("resident_subject_is_unique", "residents", subject="%(subject)s"),
    adding("resident_name_is_not_blank", "residents", name="''"),
    adding("apartments_pkey", "apartments", apartment_id="%(apartment)s"),
    adding("apartment_address_is_not_blank", "apartments", address="''"),
    adding("apartment_state_pkey", "apartment_state", apartment_id="%(apartment)s"),
    adding(
        "apartment_state_is_of_an_apartment", "apartment_state", apartment_id="gen_random_uuid()"
    ),
    adding("apartment_version_is_positive", "apartment_state", version="0"),
    adding("apartment_last_seq_is_not_negative", "apartment_state",
           last_seq="-1", last_posted_at="now()"),
    adding("apartment_is_stamped_once_it_has_history", "apartment_state", last_seq="1"),
    statement("apartment_state_reject_changes", "DELETE FROM billing.apartment_state"),
    statement("apartment_state_reject_truncate", "TRUNCATE billing.apartment_state"),
    adding("residencies_pkey", "residencies",
           granted_at="(SELECT max(granted_at) FROM billing.residencies"
                      " WHERE resident_id = %(resident)s)"),
    adding("residency_is_of_a_resident", "residencies", resident_id="gen_random_uuid()"),
    adding("residency_is_in_an_apartment", "residencies", apartment_id="gen_random_uuid()"),
    adding("residency_since_is_finite", "residencies", since="'-infinity'"),
    adding("residency_ends_after_it_began", "residencies", ended_at="'2000-01-01Z'"),
    adding("residency_lasts_once", "residencies", ended_at="NULL"),
    statement("residencies_reject_changes", "DELETE FROM billing.residencies"),
    statement("residencies_reject_truncate", "TRUNCATE billing.residencies"),
    statement("residency_only_ends", "UPDATE billing.residencies SET since = now()"),
    adding("reply_queues_pkey", "reply_queues", name="'known'"),
    adding("reply_queue_name_fits_sqs", "reply_queues", name="'a/b'"),
]  # fmt: skip

BILLS = [
    adding("imports_pkey", "imports", import_id=ROWS["bills"]["import_id"]),
    adding("import_file_name_is_not_blank", "imports", file_name="''"),
    adding("import_sha256_is_hexadecimal", "imports", sha256="'x'"),
    *kept("imports"),
    adding("bills_pkey", "bills", bill_id="%(open)s"),
    adding("bill_revision_is_unique", "bills", provider_reference="'twice'"),
    adding("bill_is_replaced_once", "bills",
           provider_reference="'twice'", revision="3", replaces="%(replaced)s"),
    adding("bill_is_for_an_apartment", "bills", apartment_id="gen_random_uuid()"),
    adding("bill_is_for_a_utility", "bills", utility="'coal'"),
    adding("bill_is_from_a_provider", "bills", provider_id="'nobody'"),
    adding("bill_came_with_an_import", "bills", import_id="gen_random_uuid()"),
    adding("bill_replaces_one_of_its_origin", "bills", revision="2", replaces="%(void)s"),
    adding("bill_reference_is_not_blank", "bills", provider_reference="' '"),
    adding("bill_revision_is_positive", "bills", revision="0", replaces="%(void)s"),
    adding("bill_first_revision_replaces_nothing", "bills", revision="2"),
    adding("bill_period_is_in_order", "bills", period_to="'2026-09-30'"),
    adding("bill_amount_is_positive", "bills", amount_minor="0"),
    adding("bill_amount_is_sane", "bills", amount_minor="1000000000001"),
    adding("bill_currency_is_a_code", "bills", currency="'euro'"),
    *kept("bills"),
    adding("bill_has_one_state", "bills"),
    adding("bill_has_one_state", "bills",
           provider_reference="'paid'", revision="2", replaces="%(paid)s"),
    adding("open_bills_pkey", "open_bills", bill_id="%(open)s", amount_minor="100"),
    adding("open_bill_says_what_the_bill_says", "open_bills", amount_minor="299"),
    adding("open_bill_says_what_the_bill_says", "open_bills", currency="'USD'"),
    adding("open_bill_says_what_the_bill_says", "open_bills", apartment_id="%(other_apartment)s"),
    adding("open_bill_has_one_state", "open_bills"),
    adding("open_bill_has_one_state", "open_bills", bill_id="%(paid)s", amount_minor="200"),
    statement("open_bill_has_one_state", "DELETE FROM billing.open_bills WHERE bill_id = %(open)s"),
    statement("open_bills_reject_changes", "UPDATE billing.open_bills SET amount_minor = 1"),
    statement("open_bills_reject_truncate", "TRUNCATE billing.open_bills"),
    unraised("open_bills_move_the_version",
             "DELETE FROM billing.open_bills WHERE bill_id = %(open)s"),
    adding("bill_voids_pkey", "bill_voids", bill_id="%(void)s"),
    adding("void_is_of_a_bill", "bill_voids", bill_id="gen_random_uuid()"),
    adding("void_has_a_reason", "bill_voids", reason="' '"),
    adding("void_has_an_operator", "bill_voids", operator="''"),
    adding("void_bill_has_one_state", "bill_voids"),
    *kept("bill_voids"),
]  # fmt: skip

PAYMENTS = [
    adding("payments_pkey", "payments", payment_id="%(payment)s"),
    adding("payment_receipt_number_is_unique", "payments", receipt_number="%(receipt)s"),
    adding("payment_is_by_a_resident", "payments", resident_id="gen_random_uuid()"),
    adding("payment_is_for_an_apartment", "payments", apartment_id="gen_random_uuid()"),
    adding("payment_receipt_number_is_readable", "payments", receipt_number="'1'"),
    adding("payment_total_is_positive", "payments", total_minor="0"),
    adding("payment_currency_is_a_code", "payments", currency="'eur'"),
    adding("payment_is_the_sum_of_its_lines", "payments"),
    *kept("payments"),
    adding("payment_lines_pkey", "payment_lines", bill_id="%(paid)s", amount_minor="200"),
    adding("line_belongs_to_its_payment", "payment_lines", payment_id="gen_random_uuid()"),
    adding("line_says_what_the_bill_says", "payment_lines", amount_minor="99"),
    adding("lines_stay_within_the_total", "payment_lines"),
    *kept("payment_lines"),
    adding("settled_bills_pkey", "settled_bills", bill_id="%(paid)s"),
    adding("settled_bill_has_a_line", "settled_bills"),
    adding("settled_bill_has_one_state", "settled_bills",
           bill_id="%(reversed)s", payment_id="%(reversed_payment)s"),
    statement("settled_bill_has_one_state",
              "DELETE FROM billing.settled_bills WHERE bill_id = %(paid)s"),
    statement("settled_bills_reject_changes",
              "UPDATE billing.settled_bills SET payment_id = %(reversed_payment)s"),
    statement("settled_bills_reject_truncate", "TRUNCATE billing.settled_bills"),
    unraised("settled_bills_move_the_version",
             "DELETE FROM billing.settled_bills WHERE bill_id = %(paid)s"),
    adding("payment_requests_pkey", "payment_requests", request_key="'known'"),
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
    *kept("payment_requests"),
    adding("reversals_pkey", "reversals",
           reversal_id="(SELECT max(reversal_id::text)::uuid FROM billing.reversals)"),
    adding("payment_is_reversed_once", "reversals", payment_id="%(reversed_payment)s"),
    adding("reversal_is_of_a_payment", "reversals", payment_id="gen_random_uuid()"),
    adding("reversal_has_a_reason", "reversals", reason="''"),
    adding("reversal_has_an_operator", "reversals", operator="' '"),
    *kept("reversals"),
]  # fmt: skip

MOVE_HEAD = (
    "UPDATE billing.apartment_state SET version = version + 1, last_seq = last_seq + 2,"
    " last_posted_at = '2999-01-01Z' WHERE apartment_id = %(apartment)s; "
)


def posting(rule: str, **changed: str) -> Case:
    """Break a rule of history after its head was moved two events on."""
    case = adding(rule, "history", **changed)
    return Case(rule, case.statement.replace(RAISE, MOVE_HEAD))


def moving(assignments: str) -> Case:
    """Move an apartment's version or the head of its history as they must not move."""
    text = f"UPDATE billing.apartment_state SET {assignments} WHERE apartment_id = %(apartment)s"
    return Case("version_grows_by_one", text)


HISTORY = [
    posting("history_pkey", seq="1"),
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
    *kept("history"),
    unraised("residencies_move_the_version",
             "UPDATE billing.residencies SET ended_at = now() WHERE ended_at IS NULL"),
    moving("version = version"),
    moving("version = version + 2"),
    moving("version = version - 1"),
    moving("version = version + 1, last_seq = last_seq - 1"),
    moving("version = version + 1, last_seq = last_seq + 1"),
    moving("version = version + 1, last_posted_at = now()"),
    moving("version = version + 1, last_seq = last_seq + 1, last_posted_at = '2000-01-01Z'"),
    moving("version = version + 1, apartment_id = %(stateless)s"),
]  # fmt: skip

CASES = [*PEOPLE, *BILLS, *PAYMENTS, *HISTORY]
