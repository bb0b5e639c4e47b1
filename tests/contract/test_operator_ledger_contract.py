"""What holds for every `OperatorLedger`: the fake and Postgres alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from billing_app.adapters.connections import Database
from billing_app.adapters.operator_ledger import PostgresOperatorLedger
from billing_app.domain.bill_lines import BillLine
from billing_app.domain.errors import Rejection
from billing_app.ports.ledger import PaymentOrder
from billing_app.ports.operator_ledger import BillBatch, LineResult, OperatorLedger
from tests.support.bills import a_line
from tests.support.databases import LedgerDatabase
from tests.support.fake_bills import NOW
from tests.support.fake_ledger import FakeLedger
from tests.support.ledger import Home, Ledger

NOTE = {"reason": "paid twice", "operator": "olga"}


@dataclass
class Environment:
    """A ledger, a resident with an apartment in it, and how the resident pays."""

    ledger: OperatorLedger
    subject: UUID
    apartment: UUID
    pay: Callable[[UUID], UUID]
    today: date

    def line(self, **changes: Any) -> BillLine:
        """Make a line for the home."""
        return a_line(**{"apartment_id": self.apartment, **changes})

    def issue(self, *lines: BillLine, **changes: Any) -> list[LineResult]:
        """Import lines as a file of its own."""
        batch = BillBatch(uuid4(), "bills.csv", uuid4().hex * 2, dry_run=False, lines=lines)
        return self.ledger.issue_bills(batch=replace(batch, **changes))

    def issue_one(self, **changes: Any) -> UUID:
        """Issue a bill and return its id."""
        (result,) = self.issue(self.line(**changes))
        assert result.bill_id is not None
        return result.bill_id

    def result(self, **changes: Any) -> tuple[str, str | None]:
        """Import one line and return what became of it."""
        (result,) = self.issue(self.line(**changes))
        return result.result, result.code


@pytest.fixture(params=["fake", "postgres"])
def env(request: pytest.FixtureRequest) -> Iterator[Environment]:
    make = {"fake": _fake_environment, "postgres": _postgres_environment}[request.param]
    yield from make(request)


def _fake_environment(_request: pytest.FixtureRequest) -> Iterator[Environment]:
    ledger = FakeLedger(NOW)

    def pay(subject: UUID, apartment: UUID, bill: UUID) -> UUID:
        return ledger.pay(PaymentOrder(subject, str(uuid4()), apartment, (bill,), None)).payment_id

    yield _settle_in(ledger, pay=pay, today=NOW.date())


def _postgres_environment(request: pytest.FixtureRequest) -> Iterator[Environment]:
    database: LedgerDatabase = request.getfixturevalue("database")
    ledger: Ledger = request.getfixturevalue("ledger")
    connection = Database(
        secret=lambda: database.secret("operator"),
        renew_secret=lambda: None,
        application_name="test",
    )

    def pay(subject: UUID, apartment: UUID, bill: UUID) -> UUID:
        answer = ledger.pay(Home(subject, apartment), [bill])
        return UUID(answer["data"]["payment_id"])

    yield _settle_in(PostgresOperatorLedger(connection), pay=pay, today=datetime.now(UTC).date())
    connection.close()


def _settle_in(
    ledger: OperatorLedger, *, pay: Callable[[UUID, UUID, UUID], UUID], today: date
) -> Environment:
    subject, apartment = uuid4(), uuid4()
    ledger.add_provider(provider_id="city-gas", name="City Gas")
    ledger.add_resident(subject=subject, name="Анна")
    ledger.add_apartment(apartment_id=apartment, address="Main street 1")
    ledger.grant_residency(
        subject=subject, apartment_id=apartment, since=datetime(2020, 1, 1, tzinfo=UTC)
    )
    return Environment(
        ledger, subject, apartment, lambda bill: pay(subject, apartment, bill), today
    )


def code_of(act: Callable[..., Any], **kwargs: Any) -> str:
    with pytest.raises(Rejection) as caught:
        act(**kwargs)
    assert caught.value.kind.operator
    return caught.value.code


def test_what_is_there_is_not_added_again(env: Environment) -> None:
    add_resident, add_apartment = env.ledger.add_resident, env.ledger.add_apartment
    assert code_of(add_resident, subject=env.subject, name="B") == "resident_exists"
    exists = code_of(add_apartment, apartment_id=env.apartment, address="x")
    assert exists == "apartment_exists"


def test_a_residency_is_given_and_ended_once(env: Environment) -> None:
    home = {"subject": env.subject, "apartment_id": env.apartment}
    give, end = env.ledger.grant_residency, env.ledger.end_residency
    now = datetime.now(UTC)
    assert code_of(give, **home, since=now) == "residency_exists"
    assert end(**home).apartment_id == env.apartment
    assert code_of(end, **home) == "residency_not_found"
    assert give(**home, since=now).subject == env.subject


def test_a_residency_needs_both_its_ends(env: Environment) -> None:
    give, now = env.ledger.grant_residency, datetime.now(UTC)
    nobody = code_of(give, subject=uuid4(), apartment_id=env.apartment, since=now)
    nowhere = code_of(give, subject=env.subject, apartment_id=uuid4(), since=now)
    assert (nobody, nowhere) == ("resident_not_found", "apartment_not_found")


def test_a_bill_is_issued_once(env: Environment) -> None:
    assert env.result() == ("issued", None)
    assert env.result() == ("already_present", None)


def test_an_open_bill_is_revised(env: Environment) -> None:
    first = env.issue_one()
    (revised,) = env.issue(env.line(amount_minor=4000))
    assert revised.result == "revised"
    assert revised.bill_id not in (None, first)
    assert code_of(env.ledger.void_bill, bill_id=first, **NOTE) == "bill_void"


def test_an_older_file_does_not_undo_a_correction(env: Environment) -> None:
    digest = uuid4().hex * 2
    env.issue(env.line(), sha256=digest)
    assert env.result(amount_minor=4000) == ("revised", None)
    (again,) = env.issue(env.line(), sha256=digest)
    assert again.result == "already_present"


def test_a_paid_bill_is_not_revised(env: Environment) -> None:
    env.pay(env.issue_one())
    assert env.result(amount_minor=4000) == ("rejected", "bill_already_paid")
    assert env.result() == ("already_present", None)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"apartment_id": uuid4()}, "apartment_not_found"),
        ({"provider_id": "nobody"}, "provider_not_found"),
        ({"utility": "steam"}, "utility_not_found"),
    ],
)
def test_a_line_that_names_unknown_things_is_rejected(
    env: Environment, changes: dict[str, Any], code: str
) -> None:
    assert env.result(**changes) == ("rejected", code)


def test_a_reference_stays_with_its_apartment(env: Environment) -> None:
    other = uuid4()
    env.ledger.add_apartment(apartment_id=other, address="Main street 2")
    env.issue_one()
    rejected = ("rejected", "reference_of_other_apartment")
    assert env.result(apartment_id=other) == rejected


def test_a_rejected_line_does_not_hold_the_others_up(env: Environment) -> None:
    results = env.issue(
        env.line(line=2, utility="steam"), env.line(line=3), env.line(line=9, provider_id="?")
    )
    assert [(one.line, one.result) for one in results] == [
        (2, "rejected"),
        (3, "issued"),
        (9, "rejected"),
    ]


def test_a_dry_run_answers_the_same_and_changes_nothing(env: Environment) -> None:
    env.issue_one(provider_reference="G-0")
    lines = (
        env.line(line=2),
        env.line(line=3, utility="steam"),
        env.line(line=4, provider_reference="G-0", amount_minor=1),
    )
    dry = env.issue(*lines, dry_run=True)
    wet = env.issue(*lines)
    assert [(one.result, one.code) for one in dry] == [(one.result, one.code) for one in wet]
    assert [one.result for one in wet] == ["issued", "rejected", "revised"]


def test_a_void_bill_is_owed_no_more(env: Environment) -> None:
    bill = env.issue_one()
    assert env.ledger.void_bill(bill_id=bill, **NOTE).apartment_id == env.apartment
    assert code_of(env.ledger.void_bill, bill_id=bill, **NOTE) == "bill_void"
    assert code_of(env.ledger.void_bill, bill_id=uuid4(), **NOTE) == "bill_not_found"


def test_a_payment_is_reversed_once(env: Environment) -> None:
    bill = env.issue_one()
    payment = env.pay(bill)
    assert code_of(env.ledger.void_bill, bill_id=bill, **NOTE) == "bill_already_paid"
    told = env.ledger.reverse_payment(payment_id=payment, **NOTE)
    assert (told.payment_id, list(told.bills)) == (payment, [bill])
    assert (told.total_minor, told.currency) == (5140, "EUR")
    again = code_of(env.ledger.reverse_payment, payment_id=payment, **NOTE)
    assert again == "payment_already_reversed"
    assert code_of(env.ledger.reverse_payment, payment_id=uuid4(), **NOTE) == ("payment_not_found")
    # Open again: it can be paid anew.
    assert env.pay(bill) != payment


def test_sums_agree_per_provider_and_day(env: Environment) -> None:
    env.ledger.reverse_payment(payment_id=env.pay(env.issue_one()), **NOTE)
    env.pay(env.issue_one(provider_reference="G-2", amount_minor=100))
    (row,) = env.ledger.reconcile(first_day=env.today, last_day=env.today)
    assert (row.provider_id, row.day, row.currency) == ("city-gas", env.today, "EUR")
    assert row.payments_minor == row.lines_minor == row.bills_minor == 5240
    assert (row.reversed_minor, row.agrees) == (5140, True)
    # Plain numbers, not what the driver makes of a sum.
    assert json.dumps([row.payments_minor, row.agrees]) == "[5240, true]"
    yesterday = env.today - timedelta(days=1)
    assert list(env.ledger.reconcile(first_day=yesterday, last_day=yesterday)) == []
    assert list(env.ledger.violations()) == []
