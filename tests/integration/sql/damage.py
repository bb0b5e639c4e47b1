"""What could be wrong with a ledger if constraints and triggers did not hold, and who says so.

Each statement damages the ledger of `test_sql_violations.ledger`, as a superuser with triggers
switched off; beside it are the rules that must then be broken, and no others.
"""

from __future__ import annotations

from typing import NamedTuple


class Damage(NamedTuple):
    """A statement, and the rules that it breaks."""

    statement: str
    rules: set[str]


def on(table: str, change: str, *rules: str) -> Damage:
    """Update rows of a table."""
    return Damage(f"UPDATE billing.{table} SET {change}", set(rules))


def lost(rows: str, *rules: str) -> Damage:
    """Delete rows of a table."""
    return Damage(f"DELETE FROM billing.{rows}", set(rules))


HASHED = "bills_change_with_the_version"
SHIFTED = "{0} = {0} - interval '1 day'"
ONE_REVERSED = "payment_id IN (SELECT payment_id FROM billing.reversals)"
UNKNOWN = "'11111111-2222-4333-8444-555555555555'"

APARTMENTS = {
    "the state is lost": lost("apartment_state", "apartment_state_is_the_head"),
    "the apartment is lost": lost("apartments", "apartment_is_there"),
    "the head is moved":
        on("apartment_state", "last_seq = last_seq + 1 WHERE last_seq > 0",
           "apartment_state_is_the_head"),
    "the head's instant is moved":
        on("apartment_state", SHIFTED.format("last_posted_at"), "apartment_state_is_the_head"),
    "the version is set back":
        on("apartment_state", "version = version - 1",
           "version_counts_every_change", "version_only_grows"),
    "the version was higher before":
        on("apartment_checks", "version = version + 1", "version_only_grows"),
    "residents are lost":
        lost("residents", "residency_is_of_a_resident", "request_is_by_a_resident"),
    "a trigger is switched off":
        Damage("ALTER TABLE billing.bills DISABLE TRIGGER bills_reject_changes",
               {"rules_are_enforced"}),
    "foreign keys are switched off":
        Damage("ALTER TABLE billing.open_bills DISABLE TRIGGER ALL", {"rules_are_enforced"}),
    "the newest events are erased, and the head with them": Damage(
        "WITH erased AS (DELETE FROM billing.history WHERE event = 'reversal' RETURNING *),"
        " reopened AS (DELETE FROM billing.reversals),"
        " closed AS (DELETE FROM billing.open_bills USING erased WHERE open_bills.bill_id"
        " = erased.bill_id), settled AS (INSERT INTO billing.settled_bills"
        " SELECT bill_id, payment_id, apartment_id FROM erased)"
        " UPDATE billing.apartment_state s SET last_seq = h.seq, last_posted_at = h.posted_at"
        " FROM billing.history h WHERE h.apartment_id = s.apartment_id AND h.event = 'payment'"
        " AND h.seq = s.last_seq - (SELECT count(*) FROM erased)",
        {"history_only_grows"},
    ),
}  # fmt: skip

BILLS = {
    "a bill is owed and settled": Damage(
        "INSERT INTO billing.open_bills SELECT bill_id, apartment_id, amount_minor, currency"
        " FROM billing.bills JOIN billing.settled_bills USING (bill_id, apartment_id)",
        {"bill_has_one_state"},
    ),
    "a void bill is owed": Damage(
        "INSERT INTO billing.open_bills SELECT bill_id, apartment_id, amount_minor, currency"
        " FROM billing.bills JOIN billing.bill_voids USING (bill_id)",
        {"bill_has_one_state"},
    ),
    "a bill that is paid is void": Damage(
        "INSERT INTO billing.bill_voids SELECT bill_id, 'x', 'x', now() FROM billing.settled_bills",
        {"bill_has_one_state", "version_counts_every_change"},
    ),
    "open bills are lost": lost("open_bills", "bill_has_one_state"),
    "a void is lost":
        lost("bill_voids", "bill_has_one_state", "reinstated_bill_is_owed_anew"),
    "a reinstatement is of another bill":
        on("bill_reinstatements", f"bill_id = {UNKNOWN}", "reinstatement_is_of_a_bill"),
    "a reinstated bill says something else":
        on("bills", "due_on = due_on + 1 WHERE replaces IN"
           " (SELECT bill_id FROM billing.bill_voids)", HASHED, "reinstated_bill_is_owed_anew"),
    "a void is of another bill":
        on("bill_voids", f"bill_id = {UNKNOWN} WHERE bill_id NOT IN"
           " (SELECT bill_id FROM billing.bill_reinstatements)",
           "bill_has_one_state", "void_is_of_a_bill"),
    "an open bill's amount is changed":
        on("open_bills", "amount_minor = 99", "open_bill_is_as_billed"),
    "open bills are in another currency":
        on("open_bills", "currency = 'USD'", "open_bill_is_as_billed"),
    "bills that are owed are lost":
        lost("bills WHERE bill_id IN (SELECT bill_id FROM billing.open_bills)",
             HASHED, "bill_has_one_state", "line_is_as_billed", "open_bill_is_as_billed",
             "reinstated_bill_is_owed_anew"),
    "a bill is changed, and its open row with it": Damage(
        "UPDATE billing.bills SET amount_minor = 9 WHERE amount_minor = 8;"
        " UPDATE billing.open_bills SET amount_minor = 9 WHERE amount_minor = 8", {HASHED},
    ),
    "a bill is removed, and its open row with it": Damage(
        "DELETE FROM billing.bills WHERE amount_minor = 8;"
        " DELETE FROM billing.open_bills WHERE amount_minor = 8", {HASHED},
    ),
    "everything is in another currency": Damage(
        "UPDATE billing.bills SET currency = 'USD'; UPDATE billing.open_bills SET currency = 'USD';"
        " UPDATE billing.payments SET currency = 'USD';"
        " UPDATE billing.payment_lines SET currency = 'USD'", {HASHED},
    ),
    "everything costs ten times as much": Damage(
        "UPDATE billing.bills SET amount_minor = amount_minor * 10;"
        " UPDATE billing.open_bills SET amount_minor = amount_minor * 10;"
        " UPDATE billing.payments SET total_minor = total_minor * 10;"
        " UPDATE billing.payment_lines SET amount_minor = amount_minor * 10",
        {HASHED, "request_is_what_was_paid"},
    ),
    "the import is lost": lost("imports", "bill_refers_to_what_exists"),
    "the provider is lost": lost("providers", "bill_refers_to_what_exists"),
    "a revision is lost":
        lost("bills WHERE bill_id IN (SELECT replaces FROM billing.bills)",
             HASHED, "reinstatement_is_of_a_bill", "revisions_follow_without_gap",
             "void_is_of_a_bill"),
    "a revision replaces a bill of another number":
        on("bills", "provider_reference = left(bill_id::text, 8) WHERE revision = 2",
           HASHED, "revisions_follow_without_gap"),
    "a revision has the wrong number":
        on("bills", "revision = 3 WHERE revision = 2", "revisions_follow_without_gap"),
}  # fmt: skip

PAYMENTS = {
    "a line's amount is changed":
        on("payment_lines", "amount_minor = amount_minor - 1 WHERE amount_minor > 1",
           "line_is_as_billed", "payment_is_the_sum_of_its_lines"),
    "a line's period is changed":
        on("payment_lines", "period_to = period_to + 1", "line_is_as_billed"),
    "a line is of another apartment":
        on("payment_lines", f"apartment_id = {UNKNOWN}", "line_is_as_billed",
           "line_is_of_its_payment", "event_is_of_a_line", "settled_bill_has_a_line"),
    "a payment's total is changed":
        on("payments", "total_minor = total_minor + 1",
           "payment_is_the_sum_of_its_lines", "request_is_what_was_paid"),
    "a payment's currency is changed":
        on("payments", "currency = 'USD'", "line_is_of_its_payment"),
    "a payment's instant is changed":
        on("payments", SHIFTED.format("settled_at"), "payment_is_settled_at_its_first_event"),
    "a receipt has a number that was not drawn":
        on("payments", "receipt_number = 'R-' || to_char(settled_at, 'YYYY') || '-9999999999'"
           f" WHERE {ONE_REVERSED}", "receipt_number_was_drawn"),
    "a receipt is of another year":
        on("payments", "receipt_number = 'R-1999-' || right(receipt_number, 10)",
           "receipt_number_was_drawn"),
    "the payer is somebody else": Damage(
        "UPDATE billing.payments SET resident_id = (SELECT resident_id FROM billing.residents"
        " WHERE name = 'Stranger')", {"payer_had_the_apartment", "request_is_of_the_payer"},
    ),
    "payer and request are somebody else's": Damage(
        "WITH s AS (SELECT resident_id FROM billing.residents WHERE name = 'Stranger'),"
        " q AS (UPDATE billing.payment_requests q SET resident_id = s.resident_id FROM s)"
        " UPDATE billing.payments p SET resident_id = s.resident_id FROM s",
        {"payer_had_the_apartment"},
    ),
    "the residency began after the payment":
        on("residencies", "since = now() + interval '1 day'", "payer_had_the_apartment"),
    "residencies are lost": lost("residencies", "payer_had_the_apartment"),
    "lines are lost":
        lost("payment_lines", "event_is_of_a_line", "payment_is_the_sum_of_its_lines",
             "request_is_what_was_paid", "settled_bill_has_a_line"),
    "payments are lost":
        lost("payments", "line_has_its_payment", "request_has_its_payment",
             "reversal_is_of_a_payment"),
    "requests are lost": lost("payment_requests", "payment_answers_a_request"),
    "a request is of another resident": Damage(
        "UPDATE billing.payment_requests SET resident_id = (SELECT resident_id FROM"
        " billing.residents WHERE name = 'Stranger')", {"request_is_of_the_payer"},
    ),
    "a request's fingerprint is changed":
        on("payment_requests", "fingerprint = repeat('0', 64)", "request_is_what_was_paid"),
    "settlements are lost":
        lost("settled_bills", "bill_has_one_state", "bill_is_settled_by_its_live_line"),
    "a reversal is lost":
        lost("reversals", "bill_is_settled_by_its_live_line", "line_is_in_the_history"),
    "a reversal's instant is changed":
        on("reversals", SHIFTED.format("reversed_at"), "payment_is_reversed_at_its_first_event"),
}  # fmt: skip

HISTORY = {
    "the first event is lost":
        lost("history WHERE seq = 1", "history_follows_without_gap", "line_is_in_the_history",
             "payment_is_settled_at_its_first_event"),
    "an event between others is lost":
        lost("history WHERE seq = 2", "events_are_posted_together", "history_follows_without_gap",
             "line_is_in_the_history"),
    "the newest event is lost": Damage(
        "DELETE FROM billing.history h USING billing.apartment_state s"
        " WHERE s.apartment_id = h.apartment_id AND s.last_seq = h.seq",
        {"apartment_state_is_the_head", "line_is_in_the_history"},
    ),
    "an event is set back in time":
        on("history", "posted_at = '2000-01-01Z' WHERE seq = 2", "events_are_posted_together",
           "history_follows_without_gap", "payment_is_settled_at_its_first_event"),
    "an event is a little later":
        on("history", "posted_at = posted_at + interval '1 microsecond' WHERE seq = 3",
           "events_are_posted_together"),
    "events change places": Damage(
        "WITH w AS (DELETE FROM billing.history WHERE event = 'reversal' OR seq > 3 RETURNING *)"
        " INSERT INTO billing.history SELECT apartment_id, 9 - seq,"
        " (SELECT w.posted_at FROM w WHERE w.seq = 9 - old.seq), event, payment_id, bill_id"
        " FROM w AS old",
        {"reversal_follows_its_payment", "payment_is_settled_at_its_first_event",
         "payment_is_reversed_at_its_first_event"},
    ),
    "an event is of another bill":
        on("history", f"bill_id = {UNKNOWN} WHERE seq = 1",
           "event_is_of_a_line", "line_is_in_the_history"),
}  # fmt: skip

DAMAGE = {**APARTMENTS, **BILLS, **PAYMENTS, **HISTORY}
