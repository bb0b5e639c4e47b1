"""What all rules of the model stand on: the environment, and the comparison of answers.

Choices are small numbers, taken modulo what there is to choose from, so that examples shrink well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar
from uuid import UUID, uuid4

from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from tests.property.history_client import HistoryClient
from tests.property.service import DIRECTORY, Answer, Json, Model, RealService, Service
from tests.support.fake_bills import FakeBill
from tests.support.fakes import FakeLogin

Thing = TypeVar("Thing")
LONG_AGO, TOMORROW = "2020-01-01T00:00:00.000000Z", "2100-01-01T00:00:00.000000Z"
UNKNOWN = UUID(int=7)
PEOPLE = ("ada", "bob", "eve", "a login without a resident", "nobody")

numbers = st.integers(0, 11)


class Order(NamedTuple):
    """A request to pay."""

    who: UUID
    key: str
    apartment: UUID
    bills: tuple[UUID, ...]
    expected: int | None = None


@dataclass
class Run:
    """What a whole run of the machine saw, over all its examples."""

    service: RealService
    seen: Counter[str] = field(default_factory=Counter)

    def note(self, what: str) -> None:
        """Count something that happened, for Hypothesis' statistics, too."""
        self.seen[what] += 1
        event(what)


def one_of(things: Sequence[Thing], number: int) -> Thing:
    """Choose one of several things by a number."""
    return things[number % len(things)]


class LedgerMachine(RuleBasedStateMachine):
    """Two apartments: one is shared by Ada and Bob, the other is Eve's."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run
        self.service = run.service
        self.model = Model()
        self.modelled = self.model.service()
        self.files: list[list[Json]] = []
        self.orders: list[Order] = []
        self.redis_was: dict[Any, Any] = {}

    @initialize()
    def start(self) -> None:
        """Set the environment in apartments that no other example knows."""
        self.service.redis.flushdb()
        self.mark = uuid4().hex
        self.people = {name: f"{name} {self.mark}" for name in PEOPLE}
        self.subjects = {name: uuid4() for name in PEOPLE}
        for name in PEOPLE[:4]:
            DIRECTORY.accounts[self.people[name]] = FakeLogin(self.subjects[name], None, None)
        for name in PEOPLE[:3]:
            for side in (self.service, self.modelled):
                side.operators.ledger.add_resident(subject=self.subjects[name], name=name)
        for utility in ("gas", "water"):
            self.rename_provider(utility, "& Sons")
        self.home, self.other = uuid4(), uuid4()
        for apartment in (self.home, self.other):
            self.operate("add", "add_apartment", apartment_id=apartment, address="1 Long Street")
        self.clients = [(self.home, HistoryClient())]
        for name, apartment in (("ada", self.home), ("bob", self.home), ("eve", self.other)):
            self.grant(name, apartment, LONG_AGO)
        self.first_bills()
        self.first_payments()

    def first_bills(self) -> None:
        """Issue what is owed from the start."""

    def first_payments(self) -> None:
        """Pay some of it."""

    def rename_provider(self, name: str, suffix: str) -> None:
        """Add a provider of this example, or give it another name."""
        self.operate(
            "rename",
            "add_provider",
            provider_id=f"{name}-{self.mark}",
            name=f"{name} {suffix}",
        )

    def grant(self, name: str, apartment: UUID, since: str | None) -> None:
        """Grant a residency, from now on unless `since` is an instant."""
        begins = {} if since is None else {"since": since}
        username = self.people[name]
        self.operate(
            "grant", "grant_residency", username=username, apartment_id=apartment, **begins
        )

    def pay(self, order: Order) -> Answer:
        """Pay bills."""
        expected = {} if order.expected is None else {"expected_total_minor": order.expected}
        bills = list(map(str, order.bills))
        return self.ask(
            "pay", "payments", order.who, order.apartment, key=order.key, bills_id=bills, **expected
        )

    def ask(self, what: str, operation: str, who: UUID, apartment: UUID, **more: Any) -> Answer:
        """Do a resident's operation in both ledgers."""
        return self._both(what, lambda side: side.ask(operation, who, apartment, **more))

    def operate(self, what: str, operation: str, **arguments: Any) -> Answer:
        """Do an operator's operation in both ledgers."""
        return self._both(what, lambda side: side.operate(operation, **arguments))

    def _both(self, what: str, act: Callable[[Service], Answer]) -> Answer:
        answer = act(self.service)
        self.model.learn(answer)
        assert answer == act(self.modelled), what
        self.run.note(f"{what}: {answer.code or 'done'}")
        return answer

    def bills_of(self, apartment: UUID, *states: str) -> list[FakeBill]:
        """Return an apartment's bills in these states, in the order of their periods."""
        bills = [bill for state in states for bill in self.model.bills_in(state)]
        theirs = [bill for bill in bills if bill.line.apartment_id == apartment]
        return sorted(theirs, key=lambda bill: (bill.line.period_from, bill.bill_id))

    def teardown(self) -> None:
        """In the end both ledgers say the same of everything, and contradict themselves nowhere."""
        for stored in self.model.apartments.values():
            posted = [one.posted_at for one in stored.events]
            assert posted == sorted(set(posted)), "I8: posting instants grow"
        for name, apartment in (("ada", self.home), ("bob", self.home), ("eve", self.other)):
            who = self.subjects[name]
            self.ask("debts, in the end", "utils", who, apartment)
            # The rejections name the bills of each state.
            for states in (("void", "replaced"), ("settled",)):
                bills = tuple(bill.bill_id for bill in self.bills_of(apartment, *states))
                self.pay(Order(who, uuid4().hex, apartment, bills))
        for order in self.orders:
            self.pay(order)
        for apartment in (self.home, self.other):
            checked = self.service.operators.ledger.check_apartment(apartment_id=apartment)
            assert checked.violations == []
