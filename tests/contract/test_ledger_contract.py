"""What holds for every `Books`: the fake and Postgres alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from billing_app.adapters.connections import Database
from billing_app.adapters.ledger import PostgresLedger
from billing_app.domain.bills import Debt
from billing_app.domain.errors import Rejection
from billing_app.domain.instants import TICK, parse_instant
from billing_app.ports.ledger import HistoryQuery, Ledger, PaymentOrder
from tests.support.databases import BooksDatabase
from tests.support.examples import a_debt
from tests.support.fakes import FakeLedger
from tests.support.ledger import Ledger as Scene
from tests.support.ledger import line

EVERYTHING = HistoryQuery(0, None, None, 1000)


@dataclass
class World:
    """Books, and how to set a scene in them."""

    ledger: Ledger
    add_apartment: Callable[[], UUID]
    add_resident: Callable[..., UUID]
    issue: Callable[[UUID, Debt], UUID]
    reverse: Callable[[str], Any]

    def home(self) -> tuple[UUID, UUID]:
        apartment = self.add_apartment()
        return self.add_resident("Ольга", apartment), apartment

    def pay(self, who: UUID, where: UUID, *bills: UUID, key: str = "", total: Any = None) -> Any:
        return self.ledger.pay(PaymentOrder(who, key or str(uuid4()), where, bills, total))

    def rejection(self, who: UUID, where: UUID, *bills: UUID, **more: Any) -> Rejection:
        with pytest.raises(Rejection) as rejection:
            self.pay(who, where, *bills, **more)
        return rejection.value

    def events(self, who: UUID, where: UUID, query: HistoryQuery = EVERYTHING) -> Any:
        page = self.ledger.history(subject=who, apartment_id=where, query=query)
        assert page is not None
        return page


@pytest.fixture(params=["fake", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "fake":
        fake = FakeLedger()
        return World(fake, fake.add_apartment, fake.add_resident, fake.issue, fake.reverse)
    return _postgres_world(request.getfixturevalue("database"), request.getfixturevalue("books"))


def _postgres_world(database: BooksDatabase, scene: Scene) -> World:
    ledger = PostgresLedger(
        Database(
            secret=lambda: database.secret("writer"),
            renew_secret=lambda: None,
            application_name="contract",
        )
    )

    def add_resident(name: str, *apartments: UUID) -> UUID:
        subject = scene.resident(name)
        for apartment in apartments:
            scene.grant(subject, apartment)
        return subject

    def issue(apartment: UUID, debt: Debt) -> UUID:
        scene.provider(debt.provider.provider_id, debt.provider.name)
        row = line(
            scene_home(apartment),
            utility=debt.utility,
            provider_id=debt.provider.provider_id,
            period_from=debt.period.first_day.isoformat(),
            period_to=debt.period.last_day.isoformat(),
            due_on=debt.due_on.isoformat(),
            amount_minor=debt.amount_minor,
            currency=debt.currency,
        )
        return UUID(scene.issue([row])["data"]["lines"][0]["bill_id"])

    return World(ledger, scene.apartment, add_resident, issue, scene.reverse)


def scene_home(apartment: UUID) -> Any:
    from tests.support.ledger import Home

    return Home(subject=uuid4(), apartment=apartment)


def test_an_account_lists_the_apartments_of_the_resident(world: World) -> None:
    ada, home = world.home()
    account = world.ledger.account(subject=ada)
    assert account is not None
    assert account.name == "Ольга"
    assert [apartment.apartment_id for apartment in account.apartments] == [home]
    assert world.ledger.account(subject=uuid4()) is None


def test_access_is_for_residents_of_the_apartment_alone(world: World) -> None:
    ada, home = world.home()
    eve, other = world.home()
    assert world.ledger.access(subject=ada, apartment_id=home) is not None
    for who, where in ((eve, home), (ada, other), (ada, uuid4()), (uuid4(), home)):
        assert world.ledger.access(subject=who, apartment_id=where) is None
        assert world.ledger.open_debts(subject=who, apartment_id=where) is None
        assert world.ledger.history(subject=who, apartment_id=where, query=EVERYTHING) is None


def test_debts_come_by_due_date_at_the_version_of_the_apartment(world: World) -> None:
    ada, home = world.home()
    late = world.issue(home, a_debt(month=3))
    early = world.issue(home, a_debt(month=2, amount_minor=77))
    found = world.ledger.open_debts(subject=ada, apartment_id=home)
    access = world.ledger.access(subject=ada, apartment_id=home)
    assert found is not None
    assert access is not None
    assert [debt.bill_id for debt in found.debts] == [early, late]
    assert found.version == access.version
    example = a_debt(month=2, amount_minor=77)
    assert (found.debts[0].amount_minor, found.debts[0].period) == (77, example.period)
    assert found.debts[0].provider == example.provider


def test_a_payment_closes_its_bills_raises_the_version_and_is_history(world: World) -> None:
    ada, home = world.home()
    bills = [world.issue(home, a_debt(amount_minor=amount)) for amount in (100, 23)]
    left = world.issue(home, a_debt())
    before = world.ledger.access(subject=ada, apartment_id=home)
    receipt = world.pay(ada, home, *bills, total=123)
    after = world.ledger.open_debts(subject=ada, apartment_id=home)
    assert before is not None
    assert after is not None
    assert (receipt["total_minor"], receipt["currency"], receipt["status"]) == (
        123,
        "EUR",
        "settled",
    )
    assert {UUID(one["bill_id"]) for one in receipt["lines"]} == set(bills)
    assert [debt.bill_id for debt in after.debts] == [left]
    assert after.version == before.version + 1
    page = world.events(ada, home)
    assert [event["event"] for event in page.events] == ["payment", "payment"]
    assert {event["receipt_number"] for event in page.events} == {receipt["receipt_number"]}
    assert [event["seq"] for event in page.events] == [1, 2]
    posted = [parse_instant(event["posted_at"]) for event in page.events]
    assert posted[0] < posted[1] == page.last_posted_at


def test_the_same_key_gets_the_same_answer_for_ever(world: World) -> None:
    ada, home = world.home()
    first, second = (world.issue(home, a_debt()) for _ in range(2))
    receipt = world.pay(ada, home, first, second, key="k")
    assert world.pay(ada, home, second, first, first, key="k") == receipt
    assert world.rejection(ada, home, first, key="k").code == "idempotency_key_reused"
    assert world.rejection(ada, home, first, key="other").code == "bill_already_paid"
    third = world.issue(home, a_debt())
    assert world.rejection(ada, home, third, first, key="rejected").code == "bill_already_paid"
    world.reverse(receipt["payment_id"])
    assert world.rejection(ada, home, third, first, key="rejected").code == "bill_already_paid"


def test_keys_are_each_residents_own(world: World) -> None:
    ada, home = world.home()
    bob = world.add_resident("Bob", home)
    one, two = (world.issue(home, a_debt()) for _ in range(2))
    first = world.pay(ada, home, one, key="k")
    assert world.pay(bob, home, two, key="k")["payment_id"] != first["payment_id"]


def test_foreign_and_unknown_bills_and_apartments_read_alike(world: World) -> None:
    ada, home = world.home()
    eve, other = world.home()
    theirs = world.issue(other, a_debt())
    assert world.rejection(ada, home, theirs).code == "bill_not_found"
    assert world.rejection(ada, home, uuid4()).code == "bill_not_found"
    assert world.rejection(ada, other, theirs).code == "apartment_not_found"
    assert world.rejection(eve, uuid4(), theirs).code == "apartment_not_found"
    assert world.rejection(uuid4(), home, theirs).code == "apartment_not_found"


def test_a_payment_is_all_or_nothing(world: World) -> None:
    ada, home = world.home()
    good, paid = world.issue(home, a_debt()), world.issue(home, a_debt())
    world.pay(ada, home, paid)
    assert world.rejection(ada, home, good, paid).code == "bill_already_paid"
    assert world.rejection(ada, home, good, uuid4()).code == "bill_not_found"
    yen = world.issue(home, a_debt(currency="JPY"))
    assert world.rejection(ada, home, good, yen).code == "currency_mixed"
    changed = world.rejection(ada, home, good, total=1)
    assert changed.code == "total_changed"
    assert changed.data is not None
    assert changed.data["total_minor"] == 5140
    owed = world.ledger.open_debts(subject=ada, apartment_id=home)
    assert owed is not None
    assert {debt.bill_id for debt in owed.debts} == {good, yen}


def test_a_reversal_opens_the_bills_and_is_an_event_of_its_own(world: World) -> None:
    ada, home = world.home()
    bill = world.issue(home, a_debt())
    receipt = world.pay(ada, home, bill)
    world.reverse(receipt["payment_id"])
    owed = world.ledger.open_debts(subject=ada, apartment_id=home)
    assert owed is not None
    assert [debt.bill_id for debt in owed.debts] == [bill]
    kinds = [event["event"] for event in world.events(ada, home).events]
    assert kinds == ["payment", "reversal"]
    again = world.pay(ada, home, bill)
    assert again["payment_id"] != receipt["payment_id"]


def test_history_is_read_by_position_by_stretch_and_by_limit(world: World) -> None:
    ada, home = world.home()
    for _ in range(5):
        world.pay(ada, home, world.issue(home, a_debt()))
    whole = world.events(ada, home)
    posted = [parse_instant(event["posted_at"]) for event in whole.events]

    def seqs(query: HistoryQuery) -> tuple[list[int], bool]:
        page = world.events(ada, home, query)
        return [event["seq"] for event in page.events], page.more

    assert seqs(HistoryQuery(3, None, None, 10)) == ([4, 5], False)
    assert seqs(HistoryQuery(0, None, None, 2)) == ([1, 2], True)
    assert seqs(HistoryQuery(0, None, posted[2], 10)) == ([3, 4, 5], False)
    assert seqs(HistoryQuery(0, None, posted[2] + TICK, 10)) == ([4, 5], False)
    assert seqs(HistoryQuery(0, posted[1], None, 10)) == ([1], False)
    assert seqs(HistoryQuery(0, posted[1], posted[3], 10)) == ([1, 4, 5], False)
    ends = (None, whole.visible_from, *(posted[-1] + ticks * TICK for ticks in (1, 2)))
    pages = [world.events(ada, home, HistoryQuery(0, None, end, 1)) for end in ends]
    assert [page.frame_known for page in pages] == [True, True, True, False]
    assert seqs(HistoryQuery(2, None, posted[4], 10)) == ([5], False)


def test_the_registry_of_reply_queues_remembers_until_told(world: World) -> None:
    ledger: Any = world.ledger
    ada, _ = world.home()
    ledger.register_reply_queue(name="expired", subject=ada, lifetime=timedelta(seconds=-5))
    ledger.register_reply_queue(name="login", subject=None, lifetime=timedelta(hours=1))
    assert ledger.expired_reply_queues(limit=10) == ["expired"]
    assert ledger.is_registered(name="login")
    ledger.register_reply_queue(name="expired", subject=ada, lifetime=timedelta(hours=1))
    assert ledger.expired_reply_queues(limit=10) == []
    ledger.forget_reply_queue(name="login")
    assert not ledger.is_registered(name="login")
