"""billing_violations finds what got past constraints and triggers, here put to sleep."""

from collections.abc import Iterator

import pytest

from tests.support.databases import Server
from tests.support.ledger import Ledger, query

AN_EVENT = "(SELECT apartment_id, seq FROM billing.history ORDER BY seq LIMIT 1)"

# What is done to the books, and the rules that the view then finds broken.
PLANTED = {
    "a bill is owed and settled": (
        "INSERT INTO billing.open_bills SELECT bill_id, apartment_id, amount_minor, currency"
        " FROM billing.bills JOIN billing.settled_bills USING (bill_id, apartment_id)",
        {"bill_has_one_state"},
    ),
    "an open bill is lost": ("DELETE FROM billing.open_bills", {"bill_has_one_state"}),
    "a void is lost": ("DELETE FROM billing.bill_voids", {"bill_has_one_state"}),
    "an open bill's amount is changed": (
        "UPDATE billing.open_bills SET amount_minor = amount_minor - 1",
        {"open_bill_is_as_billed"},
    ),
    "a line's amount is changed": (
        "UPDATE billing.payment_lines SET amount_minor = amount_minor - 1",
        {"line_is_as_billed", "payment_is_the_sum_of_its_lines"},
    ),
    "a line's period is changed": (
        "UPDATE billing.payment_lines SET period_to = period_to + 1",
        {"line_is_as_billed"},
    ),
    "a payment's total is changed": (
        "UPDATE billing.payments SET total_minor = total_minor + 1",
        {"payment_is_the_sum_of_its_lines"},
    ),
    "a payment's currency is changed": (
        "UPDATE billing.payments SET currency = 'USD'",
        {"line_is_of_its_payment"},
    ),
    "lines are lost": (
        "DELETE FROM billing.payment_lines",
        {"event_is_of_a_line", "payment_is_the_sum_of_its_lines", "settled_bill_has_a_line"},
    ),
    "a request is lost": (
        "DELETE FROM billing.payment_requests",
        {"payment_answers_a_request"},
    ),
    "a settlement is lost": (
        "DELETE FROM billing.settled_bills",
        {"bill_has_one_state", "bill_is_settled_by_its_live_line"},
    ),
    "a reversal is lost": (
        "DELETE FROM billing.reversals",
        {"bill_is_settled_by_its_live_line", "line_is_in_the_history"},
    ),
    "an event is lost": (
        f"DELETE FROM billing.history WHERE (apartment_id, seq) IN {AN_EVENT}",
        {"history_follows_without_gap", "line_is_in_the_history"},
    ),
    "the newest event is lost": (
        "DELETE FROM billing.history h USING billing.apartment_state s"
        " WHERE s.apartment_id = h.apartment_id AND s.last_seq = h.seq",
        {"apartment_state_is_the_head", "line_is_in_the_history"},
    ),
    "an event is set back in time": (
        "UPDATE billing.history SET posted_at = '2000-01-01Z' WHERE seq = 2",
        {"history_follows_without_gap"},
    ),
    "the head is moved": (
        "UPDATE billing.apartment_state SET last_seq = last_seq + 1",
        {"apartment_state_is_the_head"},
    ),
    "the state is lost": (
        "DELETE FROM billing.apartment_state",
        {"apartment_state_is_the_head"},
    ),
    "a revision is lost": (
        "DELETE FROM billing.bills WHERE revision = 1 AND bill_id IN"
        " (SELECT replaces FROM billing.bills)",
        {"revisions_follow_without_gap"},
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def books_stay_right() -> None:
    """Here they do not."""


@pytest.fixture(scope="module")
def scene(postgres_server: Server) -> Iterator[Ledger]:
    """An apartment with open, paid, reversed, void and replaced bills, in a database of its own."""
    with postgres_server.database() as database:
        ledger = Ledger(database)
        home = ledger.home()
        ledger.pay(home, ledger.bills(home, 1, 2, 3))
        ledger.reverse(ledger.pay(home, ledger.bills(home, 4))["data"]["payment_id"])
        ledger.void(ledger.bill(home))
        for amount in (5, 6):
            ledger.bill(home, provider_reference="replaced", amount_minor=amount)
        yield ledger


def test_right_books_have_no_violation(scene: Ledger) -> None:
    assert scene.violations() == []


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_violation_is_found(scene: Ledger, planted: str) -> None:
    statement, broken = PLANTED[planted]
    admin = scene.connection("admin")
    query(admin, "BEGIN; SET LOCAL session_replication_role = replica")
    try:
        query(admin, statement)
        found = query(admin, "SELECT rule, subject, detail FROM api.violations()")
    finally:
        query(admin, "ROLLBACK")
    assert {rule for rule, _, _ in found} == broken
    assert all(subject and detail for _, subject, detail in found)


def test_every_rule_of_the_view_has_a_planted_violation(scene: Ledger) -> None:
    definition = query(
        scene.connection("admin"), "SELECT pg_get_viewdef('billing.billing_violations')"
    )[0][0]
    known = set().union(*(broken for _, broken in PLANTED.values()))
    rules = [part.split("'")[1] for part in definition.split("SELECT ")[1:] if part[0] == "'"]
    assert rules
    assert set(rules) == known
