"""What all rules of the model stand on: the environment, and the comparison of answers.

Choices are small numbers, taken modulo what there is to choose from, so that examples shrink well.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID, uuid4

from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from tests.property.dump import dump, expected
from tests.property.history_client import HistoryClient
from tests.property.oracle import Oracle
from tests.property.service import Service
from tests.property.values import Answer, Apartment, Line, Order

Thing = TypeVar("Thing")
LONG_AGO, TOMORROW = "2020-01-01T00:00:00.000000Z", "2100-01-01T00:00:00.000000Z"
UNKNOWN = str(UUID(int=7))
PEOPLE = ("ada", "bob", "eve", "a login without a resident", "nobody")

numbers = st.integers(0, 11)


@dataclass
class Run:
    """What a whole run of the machine saw, over all its examples."""

    service: Service
    seen: Counter[str] = field(default_factory=Counter)

    def note(self, what: str) -> None:
        """Count something that happened, for Hypothesis' statistics, too."""
        self.seen[what] += 1
        event(what)


def one_of(things: Sequence[Thing], number: int) -> Thing:
    """Choose one of several things by a number."""
    return things[number % len(things)]


def plain(data: Any) -> Any:
    """Return data as JSON has it."""
    return json.loads(json.dumps(data))


class LedgerMachine(RuleBasedStateMachine):
    """Two apartments: one is shared by Ada and Bob, the other is Eve's."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run
        self.service = run.service
        self.model = Oracle(TOMORROW)

    @initialize()
    def start(self) -> None:
        """Set the environment in apartments that no other example knows."""
        service, model = self.service, self.model
        self.files: list[list[Line]] = []
        self.orders: list[Order] = []
        self.redis_was: dict[Any, Any] = {}
        service.redis.flushdb()
        mark = uuid4().hex
        self.mark = mark
        self.people = {name: f"{name} {mark}" for name in PEOPLE}
        self.subjects = {name: service.add_login(self.people[name]) for name in PEOPLE[:4]}
        self.subjects["nobody"] = str(uuid4())
        for name in PEOPLE[:3]:
            service.ledger.add_resident(subject=UUID(self.subjects[name]), name=name)
            model.residents.add(self.subjects[name])
        for utility in ("gas", "water"):
            self.rename_provider(utility, "& Sons")
        self.home, self.other = (self.add_apartment() for _ in range(2))
        self.clients = [(self.home, HistoryClient())]
        for name, apartment in (("ada", self.home), ("bob", self.home), ("eve", self.other)):
            self.grant(name, apartment, LONG_AGO)
        self.first_bills()
        self.first_payments()

    def first_bills(self) -> None:
        """Issue what is owed from the start."""

    def first_payments(self) -> None:
        """Pay some of it."""

    def add_apartment(self) -> str:
        """Add an apartment to both."""
        apartment = uuid4()
        self.service.ledger.add_apartment(apartment_id=apartment, address="1 Long Street")
        self.model.apartments[str(apartment)] = Apartment()
        return str(apartment)

    def rename_provider(self, name: str, suffix: str) -> None:
        """Add a provider of this example, or give it another name."""
        provider_id = f"{name}-{self.mark}"
        self.service.ledger.add_provider(provider_id=provider_id, name=f"{name} {suffix}")
        self.model.rename(provider_id, f"{name} {suffix}")

    def grant(self, name: str, apartment: str, since: str) -> None:
        """Grant a residency in both."""
        answer = self.service.grant(self.people[name], apartment, since)
        if name == "nobody":
            self.same("grant", answer, Answer("login_not_found"))
            return
        self.same("grant", answer, self.model.grant(self.subjects[name], apartment, since))

    def same(self, what: str, answer: Answer, should_be: Answer) -> None:
        """Compare what came with what should have come."""
        self.run.note(f"{what}: {answer.code or 'done'}")
        assert answer.code == should_be.code, f"{what}: {answer} instead of {should_be}"
        assert plain(answer.data) == plain(should_be.data)

    def teardown(self) -> None:
        """In the end the whole ledger is the model's, and contradicts itself nowhere."""
        for apartment in self.model.apartments.values():
            posted = [one["posted_at"] for one in apartment.events]
            assert posted == sorted(set(posted)), "I8: posting instants grow"
        assert self.service.ledger.violations() == []
        assert dump(self.service.database, self.model) == expected(self.model)
