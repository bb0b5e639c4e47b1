"""What holds for every `OperatorLedger`: the fake and Postgres alike.

Longer stories, in any order, are told by the model of the ledger (tests/property).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from billing_app.domain.bill_lines import BillLine
from tests.contract.conftest import Setup, rejection
from tests.support.bills import a_line

LAST = UUID("ffffffff-ffff-4fff-bfff-ffffffffffff")
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

    def owed(self) -> set[UUID]:
        """Return the bills that are owed."""
        debts = self.setup.ledger.open_debts(subject=self.subject, apartment_id=self.apartment)
        assert debts
        return {debt.bill_id for debt in debts.debts}

    def version(self) -> int:
        """Return the apartment's version."""
        access = self.setup.ledger.access(subject=self.subject, apartment_id=self.apartment)
        assert access
        return access.version

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


ISSUED, REVISED, PRESENT = ("issued", None), ("revised", None), ("already_present", None)
DUPLICATE = ("rejected", "probable_duplicate")


@pytest.mark.parametrize(
    ("state", "changes", "expected"),
    [
        ("open", {}, PRESENT),
        ("paid", {}, PRESENT),
        ("void", {}, ("rejected", "bill_void")),
        ("open", {"amount_minor": 4000}, REVISED),
        ("open", {"currency": "USD"}, REVISED),
        ("open", {"due_on": date(2026, 12, 1)}, REVISED),
        ("paid", {"amount_minor": 4000}, ("rejected", "bill_already_paid")),
        ("void", {"amount_minor": 4000}, REVISED),
        ("open", {"apartment_id": uuid4()}, ("rejected", "apartment_not_found")),
        ("open", {"provider_id": "nobody"}, ("rejected", "provider_not_found")),
        ("open", {"utility": "steam"}, ("rejected", "utility_not_found")),
        # The same number, and another bill.
        ("open", {"utility": "water"}, ISSUED),
        ("open", {"month": 11}, ISSUED),
        ("paid", {"month": 11}, ISSUED),
        # Another number, and probably the same bill.
        ("open", {"provider_reference": "X-9"}, DUPLICATE),
        ("paid", {"provider_reference": "X-9"}, DUPLICATE),
        ("void", {"provider_reference": "X-9"}, ISSUED),
        ("open", {"provider_reference": "X-9", "currency": "USD"}, ISSUED),
        ("open", {"provider_reference": "X-9", "amount_minor": 4000}, ISSUED),
        ("open", {"provider_reference": "X-9", "utility": "water"}, ISSUED),
        ("open", {"provider_reference": "X-9", "month": 11}, ISSUED),
        ("open", {"provider_reference": "g 0001", "amount_minor": 4000}, DUPLICATE),
        ("paid", {"provider_reference": "\uff27\u20111", "amount_minor": 4000}, DUPLICATE),
        ("open", {"provider_reference": "G-10", "amount_minor": 4000}, ISSUED),
        ("open", {"provider_reference": "G-1-1", "amount_minor": 4000}, ISSUED),
        ("open", {"period_to": date(2026, 11, 1), "amount_minor": 4000}, DUPLICATE),
    ],
)
def test_a_line_is_told_what_became_of_it(
    env: Environment, state: str, changes: dict[str, Any], expected: tuple[str, str | None]
) -> None:
    bill = env.issue_one()
    if state == "paid":
        env.pay(bill)
    if state == "void":
        env.ledger.void_bill(bill_id=bill, **NOTE)
    owed = env.owed()
    [told] = env.imported(env.line(**changes))
    assert (told.result, told.code) == expected
    is_named = expected == PRESENT or told.code in {"bill_void", "bill_already_paid", *DUPLICATE}
    assert not is_named or (told.bill_id, told.provider_reference) == (bill, "G-1")
    gone = {bill} if expected == REVISED else set()
    new = {told.bill_id} if told.result in {"issued", "revised"} else set()
    assert env.owed() == owed - gone | new
    if expected == DUPLICATE:
        [told] = env.imported(env.line(**changes), allow_duplicates=True)
        assert (told.result, env.owed()) == ("issued", owed | {told.bill_id})


def test_of_lines_of_one_bill_none_is_issued(env: Environment) -> None:
    lines = [env.line(line=2), env.line(line=3, amount_minor=1), env.line(line=4, month=11)]
    told = env.imported(*lines, sha256="0" * 64)
    assert [one.code for one in told] == ["reference_duplicated"] * 2 + [None]
    # Nor is a later one of the same file, in another batch, a correction.
    [told_late] = env.imported(env.line(month=11, amount_minor=1), sha256="0" * 64)
    assert told_late.code == "reference_duplicated"
    assert env.owed() == {told[2].bill_id}


def test_a_void_is_taken_back_once(env: Environment) -> None:
    bill = env.issue_one()

    def reinstate(bill_id: UUID = bill, *, anyway: bool = False) -> Any:
        return env.ledger.reinstate_bill(bill_id=bill_id, allow_duplicates=anyway, **NOTE)

    assert code_of(reinstate, bill_id=uuid4()) == "bill_not_found"
    assert code_of(reinstate) == "bill_not_void"
    env.ledger.void_bill(bill_id=bill, **NOTE)
    twin = env.issue_one(provider_reference="X-9")
    found = rejection(reinstate)
    assert found.code == "probable_duplicate"
    assert found.data == {"bill_id": str(twin), "provider_reference": "X-9"}
    version = env.version()
    told = reinstate(anyway=True)
    assert (told.replaces, told.apartment_id, env.version()) == (bill, env.apartment, version + 1)
    assert env.owed() == {twin, told.bill_id}
    assert env.result() == PRESENT
    for act in (reinstate, env.ledger.void_bill):
        found = rejection(act, bill_id=bill, **({} if act is reinstate else NOTE))
        assert (found.code, found.data) == ("bill_replaced", {"bill_id": str(told.bill_id)})
    env.pay(told.bill_id)
    assert code_of(reinstate, bill_id=told.bill_id) == "bill_not_void"


def test_a_dry_run_answers_the_same_and_changes_nothing(env: Environment) -> None:
    env.issue_one(provider_reference="G-0", amount_minor=2)
    lines = (
        env.line(line=2),
        env.line(line=3, utility="steam"),
        env.line(line=4, provider_reference="G-0", amount_minor=1),
        env.line(line=5, month=11),
        env.line(line=6, provider_reference="g 1"),
        # As in a file that lists what many meters used.
        env.line(line=7, provider_reference="G-2"),
    )
    dry = env.imported(*lines, dry_run=True)
    wet = env.imported(*lines)
    assert [(one.result, one.code) for one in dry] == [(one.result, one.code) for one in wet]
    assert [one.code or one.result for one in wet] == [
        *("issued", "utility_not_found", "revised", "issued", "probable_duplicate", "issued")
    ]
    assert [one.bill_id for one in dry] == [None] * 6


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


def test_apartments_are_checked_in_pages_and_the_changed_ones_first(env: Environment) -> None:
    env.issue_one()
    env.ledger.add_apartment(apartment_id=LAST, address="Main street 9")
    begin = env.ledger.check_progress()
    page = env.ledger.check_apartments(kind="all", first=UUID(int=0), limit=1)
    assert page.next_apartment is not None
    assert env.ledger.check_progress().positions["all"] == page.next_apartment
    rest = env.ledger.check_apartments(kind="all", first=page.next_apartment, limit=10_000)
    assert (page.checked, rest.next_apartment) == (1, None)
    done = env.ledger.check_progress()
    assert page.checked + rest.checked == done.apartments == begin.apartments
    assert (done.waiting, done.positions["all"]) == (0, UUID(int=0))
    env.issue_one(provider_reference="G-2", amount_minor=100)
    changed = env.ledger.check_apartments(kind="changed", first=UUID(int=0), limit=10_000)
    assert (changed.checked, changed.next_apartment, list(changed.violations)) == (1, None, [])
    assert env.ledger.check_progress().waiting == 0


def test_one_apartment_is_checked(env: Environment) -> None:
    assert list(env.ledger.check_apartment(apartment_id=env.apartment).violations) == []
    assert code_of(env.ledger.check_apartment, apartment_id=uuid4()) == "apartment_not_found"
