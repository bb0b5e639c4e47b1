"""What holds for every `Ledger`: the fake and Postgres alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from billing_app.adapters.connections import Database
from billing_app.adapters.ledger import PostgresLedger
from billing_app.admin.formatting import plain
from billing_app.domain.bills import Debt, Receipt
from billing_app.domain.errors import Rejection
from billing_app.domain.instants import TICK
from billing_app.ports.ledger import HistoryPage, HistoryQuery, Ledger, PaymentOrder
from tests.support.bills import a_debt, as_line
from tests.support.databases import LedgerDatabase
from tests.support.fake_ledger import FakeLedger
from tests.support.ledger import Ledger as Environment

EVERYTHING = HistoryQuery(0, None, None, 1000)


@dataclass
class Setup:
    """A ledger, and how to fill it."""

    ledger: Ledger
    add_apartment: Callable[[], UUID]
    add_resident: Callable[..., UUID]
    issue: Callable[[UUID, Debt], UUID]
    reverse: Callable[[UUID], Any]

    def home(self) -> tuple[UUID, UUID]:
        apartment = self.add_apartment()
        return self.add_resident("Ольга", apartment), apartment

    def pay(
        self, who: UUID, where: UUID, *bills: UUID, key: str = "", total: Any = None
    ) -> Receipt:
        return self.ledger.pay(PaymentOrder(who, key or str(uuid4()), where, bills, total))

    def rejection(self, who: UUID, where: UUID, *bills: UUID, **more: Any) -> Rejection:
        with pytest.raises(Rejection) as rejection:
            self.pay(who, where, *bills, **more)
        return rejection.value

    def owed(self, who: UUID, where: UUID) -> list[UUID]:
        found = self.ledger.open_debts(subject=who, apartment_id=where)
        assert found is not None
        return [debt.bill_id for debt in found.debts]

    def version(self, who: UUID, where: UUID) -> int:
        access = self.ledger.access(subject=who, apartment_id=where)
        assert access is not None
        return access.version

    def events(self, who: UUID, where: UUID, query: HistoryQuery = EVERYTHING) -> HistoryPage:
        page = self.ledger.history(subject=who, apartment_id=where, query=query)
        assert page is not None
        return page


@pytest.fixture(params=["fake", "postgres"])
def setup(request: pytest.FixtureRequest) -> Setup:
    if request.param == "fake":
        fake = FakeLedger()

        def reverse(payment: UUID) -> None:
            fake.reverse_payment(payment_id=payment)

        return Setup(fake, fake.new_apartment, fake.new_resident, fake.issue, reverse)
    return _postgres(request.getfixturevalue("database"), request.getfixturevalue("ledger"))


def _postgres(database: LedgerDatabase, env: Environment) -> Setup:
    ledger = PostgresLedger(
        Database(
            secret=lambda: database.secret("writer"),
            renew_secret=lambda: None,
            application_name="contract",
        )
    )

    def add_resident(name: str, *apartments: UUID) -> UUID:
        subject = env.resident(name)
        for apartment in apartments:
            env.grant(subject, apartment)
        return subject

    def issue(apartment: UUID, debt: Debt) -> UUID:
        env.provider(debt.provider.provider_id, debt.provider.name)
        row = plain(as_line(debt, apartment_id=apartment))
        return UUID(env.issue([row])["data"]["lines"][0]["bill_id"])

    return Setup(
        ledger, env.apartment, add_resident, issue, lambda payment: env.reverse(str(payment))
    )


def test_an_account_lists_the_apartments_of_the_resident(setup: Setup) -> None:
    ada, home = setup.home()
    account = setup.ledger.account(subject=ada)
    assert account is not None
    assert account.name == "Ольга"
    assert [apartment.apartment_id for apartment in account.apartments] == [home]
    assert setup.ledger.account(subject=uuid4()) is None


def test_access_is_for_residents_of_the_apartment_alone(setup: Setup) -> None:
    ada, home = setup.home()
    eve, other = setup.home()
    assert setup.ledger.access(subject=ada, apartment_id=home) is not None
    for who, where in ((eve, home), (ada, other), (ada, uuid4()), (uuid4(), home)):
        assert setup.ledger.access(subject=who, apartment_id=where) is None
        assert setup.ledger.open_debts(subject=who, apartment_id=where) is None
        assert setup.ledger.history(subject=who, apartment_id=where, query=EVERYTHING) is None


def test_debts_come_by_due_date_at_the_version_of_the_apartment(setup: Setup) -> None:
    ada, home = setup.home()
    examples = [a_debt(month=3), a_debt(month=2, amount_minor=77)]
    late, early = [setup.issue(home, example) for example in examples]
    found = setup.ledger.open_debts(subject=ada, apartment_id=home)
    assert found is not None
    assert found.version == setup.version(ada, home)
    assert found.debts == (
        replace(examples[1], bill_id=early),
        replace(examples[0], bill_id=late),
    )


def test_a_payment_closes_its_bills_moves_the_version_and_is_history(setup: Setup) -> None:
    ada, home = setup.home()
    bills = [setup.issue(home, a_debt(amount_minor=amount)) for amount in (100, 23)]
    left = setup.issue(home, a_debt())
    before = setup.version(ada, home)
    receipt = setup.pay(ada, home, *bills, total=123)
    assert (receipt.total_minor, receipt.currency) == (123, "EUR")
    assert {bill.bill_id for bill in receipt.bills} == set(bills)
    assert (setup.owed(ada, home), setup.version(ada, home)) == ([left], before + 1)
    page = setup.events(ada, home)
    assert [(event.seq, event.kind) for event in page.events] == [(1, "payment"), (2, "payment")]
    assert {event.receipt_number for event in page.events} == {receipt.receipt_number}
    assert {event.bill for event in page.events} == set(receipt.bills)
    posted = [event.posted_at for event in page.events]
    assert posted[0] < posted[1] == page.last_posted_at


def test_the_same_key_gets_the_same_answer_for_ever(setup: Setup) -> None:
    ada, home = setup.home()
    first, second = (setup.issue(home, a_debt()) for _ in range(2))
    receipt = setup.pay(ada, home, first, second, key="k")
    assert setup.pay(ada, home, second, first, first, key="k") == receipt
    assert setup.rejection(ada, home, first, key="k").code == "idempotency_key_reused"
    assert setup.rejection(ada, home, first, key="other").code == "bill_already_paid"
    third = setup.issue(home, a_debt())
    assert setup.rejection(ada, home, third, first, key="rejected").code == "bill_already_paid"
    setup.reverse(receipt.payment_id)
    assert setup.rejection(ada, home, third, first, key="rejected").code == "bill_already_paid"


def test_keys_are_each_residents_own(setup: Setup) -> None:
    ada, home = setup.home()
    bob = setup.add_resident("Bob", home)
    one, two = (setup.issue(home, a_debt()) for _ in range(2))
    first = setup.pay(ada, home, one, key="k")
    assert setup.pay(bob, home, two, key="k").payment_id != first.payment_id


def test_foreign_and_unknown_bills_and_apartments_read_alike(setup: Setup) -> None:
    ada, home = setup.home()
    eve, other = setup.home()
    theirs = setup.issue(other, a_debt())
    assert setup.rejection(ada, home, theirs).code == "bill_not_found"
    assert setup.rejection(ada, home, uuid4()).code == "bill_not_found"
    assert setup.rejection(ada, other, theirs).code == "apartment_not_found"
    assert setup.rejection(eve, uuid4(), theirs).code == "apartment_not_found"
    assert setup.rejection(uuid4(), home, theirs).code == "apartment_not_found"


def test_a_payment_is_all_or_nothing(setup: Setup) -> None:
    ada, home = setup.home()
    good, paid = setup.issue(home, a_debt()), setup.issue(home, a_debt())
    setup.pay(ada, home, paid)
    assert setup.rejection(ada, home, good, paid).code == "bill_already_paid"
    assert setup.rejection(ada, home, good, uuid4()).code == "bill_not_found"
    yen = setup.issue(home, a_debt(currency="JPY"))
    assert setup.rejection(ada, home, good, yen).code == "currency_mixed"
    changed = setup.rejection(ada, home, good, total=1)
    assert (changed.code, (changed.data or {})["total_minor"]) == ("total_changed", 5140)
    assert set(setup.owed(ada, home)) == {good, yen}


def test_a_reversal_opens_the_bills_and_is_an_event_of_its_own(setup: Setup) -> None:
    ada, home = setup.home()
    bill = setup.issue(home, a_debt())
    receipt = setup.pay(ada, home, bill)
    setup.reverse(receipt.payment_id)
    assert setup.owed(ada, home) == [bill]
    kinds = [event.kind for event in setup.events(ada, home).events]
    assert kinds == ["payment", "reversal"]
    again = setup.pay(ada, home, bill)
    assert again.payment_id != receipt.payment_id


def test_history_is_read_by_position_by_range_and_by_limit(setup: Setup) -> None:
    ada, home = setup.home()
    for _ in range(5):
        setup.pay(ada, home, setup.issue(home, a_debt()))
    whole = setup.events(ada, home)
    posted = [event.posted_at for event in whole.events]

    def seqs(query: HistoryQuery) -> tuple[list[int], bool]:
        page = setup.events(ada, home, query)
        return [event.seq for event in page.events], page.more

    assert seqs(HistoryQuery(3, None, None, 10)) == ([4, 5], False)
    assert seqs(HistoryQuery(0, None, None, 2)) == ([1, 2], True)
    assert seqs(HistoryQuery(0, None, posted[2], 10)) == ([3, 4, 5], False)
    assert seqs(HistoryQuery(0, None, posted[2] + TICK, 10)) == ([4, 5], False)
    assert seqs(HistoryQuery(0, posted[1], None, 10)) == ([1], False)
    assert seqs(HistoryQuery(0, posted[1], posted[3], 10)) == ([1, 4, 5], False)
    ends = (None, whole.visible_from, *(posted[-1] + ticks * TICK for ticks in (1, 2)))
    pages = [setup.events(ada, home, HistoryQuery(0, None, end, 1)) for end in ends]
    assert [page.known_end_exists for page in pages] == [True, True, True, False]
    assert seqs(HistoryQuery(2, None, posted[4], 10)) == ([5], False)


def test_the_registry_of_reply_queues_remembers_until_told(setup: Setup) -> None:
    ledger: Any = setup.ledger
    ada, _ = setup.home()
    ledger.register_reply_queue(name="expired", subject=ada, lifetime=timedelta(seconds=-5))
    ledger.register_reply_queue(name="login", subject=None, lifetime=timedelta(hours=1))
    assert ledger.expired_reply_queues(limit=10) == ["expired"]
    assert ledger.is_registered(name="login")
    ledger.register_reply_queue(name="expired", subject=ada, lifetime=timedelta(hours=1))
    assert ledger.expired_reply_queues(limit=10) == []
    ledger.forget_reply_queue(name="login")
    assert not ledger.is_registered(name="login")
