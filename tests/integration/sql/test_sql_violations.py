"""billing_violations finds what got past constraints and triggers, here switched off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.databases import Server
from tests.support.ledger import Ledger, value

# Damage to the ledger, and the rules that the view then finds broken.
DAMAGE = {
    "a bill is owed and settled": (
        ("INSERT INTO billing.open_bills SELECT bill_id, apartment_id, amount_minor, currency"
        " FROM billing.bills JOIN billing.settled_bills USING (bill_id, apartment_id)"),
        {"bill_has_one_state"},
    ),
    "an open bill is lost": ("DELETE FROM billing.open_bills", {"bill_has_one_state"}),
    "a void is lost": ("DELETE FROM billing.bill_voids", {"bill_has_one_state"}),
    "an open bill's amount is changed":
        ("UPDATE billing.open_bills SET amount_minor = 99", {"open_bill_is_as_billed"}),
    "a line's amount is changed":
        ("UPDATE billing.payment_lines SET amount_minor = amount_minor - 1",
         {"line_is_as_billed", "payment_is_the_sum_of_its_lines"}),
    "a line's period is changed":
        ("UPDATE billing.payment_lines SET period_to = period_to + 1", {"line_is_as_billed"}),
    "a payment's total is changed":
        ("UPDATE billing.payments SET total_minor = total_minor + 1",
         {"payment_is_the_sum_of_its_lines"}),
    "a payment's currency is changed":
        ("UPDATE billing.payments SET currency = 'USD'", {"line_is_of_its_payment"}),
    "lines are lost":
        ("DELETE FROM billing.payment_lines",
         {"event_is_of_a_line", "payment_is_the_sum_of_its_lines", "settled_bill_has_a_line"}),
    "a request is lost": ("DELETE FROM billing.payment_requests", {"payment_answers_a_request"}),
    "a settlement is lost":
        ("DELETE FROM billing.settled_bills",
         {"bill_has_one_state", "bill_is_settled_by_its_live_line"}),
    "a reversal is lost":
        ("DELETE FROM billing.reversals",
         {"bill_is_settled_by_its_live_line", "line_is_in_the_history"}),
    "an event is lost": (
        ("DELETE FROM billing.history WHERE (apartment_id, seq) IN"
        " (SELECT apartment_id, seq FROM billing.history ORDER BY seq LIMIT 1)"),
        {"history_follows_without_gap", "line_is_in_the_history"},
    ),
    "the newest event is lost": (
        ("DELETE FROM billing.history h USING billing.apartment_state s"
        " WHERE s.apartment_id = h.apartment_id AND s.last_seq = h.seq"),
        {"apartment_state_is_the_head", "line_is_in_the_history"},
    ),
    "an event is set back in time":
        ("UPDATE billing.history SET posted_at = '2000-01-01Z' WHERE seq = 2",
         {"history_follows_without_gap"}),
    "the head is moved":
        ("UPDATE billing.apartment_state SET last_seq = last_seq + 1",
         {"apartment_state_is_the_head"}),
    "the state is lost":
        ("DELETE FROM billing.apartment_state", {"apartment_state_is_the_head"}),
    "a revision is lost": (
        ("DELETE FROM billing.bills WHERE revision = 1 AND bill_id IN"
        " (SELECT replaces FROM billing.bills)"),
        {"revisions_follow_without_gap"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def ledger(postgres_server: Server) -> Iterator[Ledger]:
    """Give open, paid, reversed, void and replaced bills, in a database of their own."""
    with postgres_server.database() as database:
        ledger = Ledger(database)
        home = ledger.home()
        ledger.pay(home, ledger.bills(home, 1, 2, 3))
        ledger.reverse(ledger.pay(home, ledger.bills(home, 4))["data"]["payment_id"])
        ledger.void(ledger.bill(home))
        for amount in (5, 6):
            ledger.bill(home, provider_reference="replaced", amount_minor=amount)
        yield ledger


def test_a_consistent_ledger_has_no_violation(ledger: Ledger) -> None:
    assert ledger.violations() == []


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found(ledger: Ledger, damage: str) -> None:
    statement, broken = DAMAGE[damage]
    found = ledger.after_damage(statement, "SELECT rule, subject, detail FROM api.violations()")
    assert {rule for rule, _, _ in found} == broken
    assert all(subject and detail for _, subject, detail in found)


def test_every_rule_of_the_view_has_its_damage(ledger: Ledger) -> None:
    view = "SELECT pg_get_viewdef('billing.billing_violations')"
    definition = value(ledger.connection("admin"), view)
    rules = [part.split("'")[1] for part in definition.split("SELECT ")[1:] if part[0] == "'"]
    assert rules
    assert set(rules) == set().union(*(broken for _, broken in DAMAGE.values()))
