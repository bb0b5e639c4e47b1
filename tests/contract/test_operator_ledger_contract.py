"""What holds for every `OperatorLedger`: the fake and Postgres alike.

Longer stories, in any order, are told by the model of the ledger (tests/property).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from billing_app.domain.bill_lines import BillLine
from tests.contract.conftest import Setup, rejection
from tests.support.bills import a_line

NOTE = {"reason": "paid twice", "operator": "olga"}


@dataclass
class Environment:
    """A ledger with one resident of one apartment."""

    setup: Setup
    subject: UUID
    apartment: UUID

    def __post_init__(self) -> None:
        self.ledger, self.imported = self.setup.operators, self.setup.imported

    def line(self, **changes: Any) -> BillLine:
        """Make a line for the home."""
        return a_line(**{"apartment_id": self.apartment, **changes})

    def grant(self, subject: UUID, apartment: UUID) -> Any:
        """Give a residency from now on."""
        return self.ledger.grant_residency(
            subject=subject, apartment_id=apartment, since=self.setup.clock()
        )

    def issue_one(self, **changes: Any) -> UUID:
        """Issue a bill and return its id."""
        (result,) = self.imported(self.line(**changes))
        assert result.bill_id is not None
        return result.bill_id

    def result(self, **changes: Any) -> tuple[str, str | None]:
        """Import one line and return what became of it."""
        (result,) = self.imported(self.line(**changes))
        return result.result, result.code

    def pay(self, bill: UUID) -> UUID:
        """Pay a bill and return the payment."""
        return self.setup.pay(self.subject, self.apartment, bill).payment_id


@pytest.fixture
def env(setup: Setup) -> Environment:
    setup.operators.add_provider(provider_id="city-gas", name="City Gas")
    return Environment(setup, *setup.home())


def code_of(act: Callable[..., Any], **kwargs: Any) -> str:
    found = rejection(act, **kwargs)
    assert found.kind.operator
    return found.code


REJECTED: dict[str, Callable[[Environment], object]] = {
    "resident_exists": lambda env: env.ledger.add_resident(subject=env.subject, name="B"),
    "apartment_exists": lambda env: env.ledger.add_apartment(
        apartment_id=env.apartment, address="x"
    ),
    "residency_exists": lambda env: env.grant(env.subject, env.apartment),
    "resident_not_found": lambda env: env.grant(uuid4(), env.apartment),
    "apartment_not_found": lambda env: env.grant(env.subject, uuid4()),
    "bill_not_found": lambda env: env.ledger.void_bill(bill_id=uuid4(), **NOTE),
    "payment_not_found": lambda env: env.ledger.reverse_payment(payment_id=uuid4(), **NOTE),
}


@pytest.mark.parametrize("code", REJECTED)
def test_what_is_there_or_unknown_is_rejected_by_name(env: Environment, code: str) -> None:
    assert code_of(REJECTED[code], env=env) == code


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("already_present", None)),
        ({"amount_minor": 4000}, ("revised", None)),
        ({"apartment_id": uuid4()}, ("rejected", "apartment_not_found")),
        ({"provider_id": "nobody"}, ("rejected", "provider_not_found")),
        ({"utility": "steam"}, ("rejected", "utility_not_found")),
    ],
)
def test_a_line_of_a_known_reference_is_told_what_became_of_it(
    env: Environment, changes: dict[str, Any], expected: tuple[str, str | None]
) -> None:
    env.issue_one()
    assert env.result(**changes) == expected


def test_a_dry_run_answers_the_same_and_changes_nothing(env: Environment) -> None:
    env.issue_one(provider_reference="G-0")
    lines = (
        env.line(line=2),
        env.line(line=3, utility="steam"),
        env.line(line=4, provider_reference="G-0", amount_minor=1),
        env.line(line=5),
    )
    dry = env.imported(*lines, dry_run=True)
    wet = env.imported(*lines)
    assert [(one.result, one.code) for one in dry] == [(one.result, one.code) for one in wet]
    assert [one.result for one in wet] == ["issued", "rejected", "revised", "already_present"]


def test_a_payment_is_reversed_once(env: Environment) -> None:
    bill = env.issue_one()
    payment = env.pay(bill)
    assert code_of(env.ledger.void_bill, bill_id=bill, **NOTE) == "bill_already_paid"
    told = env.ledger.reverse_payment(payment_id=payment, **NOTE)
    assert (told.payment_id, list(told.bills)) == (payment, [bill])
    assert (told.total_minor, told.currency) == (5140, "EUR")
    again = code_of(env.ledger.reverse_payment, payment_id=payment, **NOTE)
    assert again == "payment_already_reversed"
    # Open again: it can be paid anew.
    assert env.pay(bill) != payment


def test_sums_agree_per_provider_and_day(env: Environment) -> None:
    env.ledger.reverse_payment(payment_id=env.pay(env.issue_one()), **NOTE)
    env.pay(env.issue_one(provider_reference="G-2", amount_minor=100))
    env.ledger.add_provider(provider_id="waterworks", name="Waterworks")
    env.pay(env.issue_one(provider_id="waterworks", utility="water", amount_minor=30))
    today = env.setup.clock().date()
    row, water = env.ledger.reconcile(first_day=today, last_day=today)
    assert (water.provider_id, water.payments_minor, water.agrees) == ("waterworks", 30, True)
    assert (row.provider_id, row.day, row.currency) == ("city-gas", today, "EUR")
    assert row.payments_minor == row.lines_minor == row.bills_minor == 5240
    assert (row.reversed_minor, row.agrees) == (5140, True)
    # Plain numbers, not what the driver makes of a sum.
    assert json.dumps([row.payments_minor, row.agrees]) == "[5240, true]"
    for other in (today - timedelta(days=1), today + timedelta(days=1)):
        assert list(env.ledger.reconcile(first_day=other, last_day=other)) == []
    assert list(env.ledger.violations()) == []
