"""The ledger at each of their commits, and ports through which code meets them step by step.

The ledger is the fake that tests/contract holds against Postgres, copied after each commit. A call
that reads them is answered with the number of commits at that moment, a call of the cache with what
a faulty Redis says: see cache_checker.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from billing_app.adapters.redis_cache import SCHEMA, _decode
from billing_app.domain.bills import OpenDebts, Receipt
from billing_app.ports.cache import CachedResult, PendingResult, ResultCache
from billing_app.ports.ledger import (
    Access,
    Account,
    HistoryPage,
    HistoryQuery,
    Ledger,
    PaymentOrder,
)
from tests.model_checking.steps import Script
from tests.support.examples import a_debt
from tests.support.fakes import START, FakeLedger

Json = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """Something that is committed to the ledger, in words; `order` when it is a payment."""

    told: str
    apply: Callable[[FakeLedger], object]
    order: PaymentOrder | None = None


@dataclass(frozen=True)
class Scenario:
    """What happens to the ledger: `at[n]` is what it is after n commits."""

    home: UUID
    ada: UUID
    changes: Sequence[Change]
    at: Sequence[FakeLedger]


def scenario(*wanted: str) -> Scenario:
    """Tell a scenario of an apartment that owes A and B.

    The steps are `pay_a`, `pay_b`, `pay_both`, `reverse` and `move_out`.
    Two bills were paid before, a second apart.
    """
    ledger = FakeLedger()
    home = ledger.add_apartment()
    ada = ledger.add_resident("Ada", home)
    for number in (1, 2):
        ledger.clock.advance(timedelta(seconds=1))
        ledger.pay(PaymentOrder(ada, f"{number}", home, (ledger.issue(home, a_debt()),), None))
    bills = [ledger.issue(home, a_debt(month=month, amount_minor=month)) for month in (1, 2)]
    changes = [_changes(ada, home, bills)[name] for name in wanted]
    return Scenario(home, ada, changes, list(_copies(ledger, changes)))


def _changes(ada: UUID, home: UUID, bills: Sequence[UUID]) -> Mapping[str, Change]:
    def pay(told: str, *chosen: UUID) -> Change:
        order = PaymentOrder(ada, told, home, chosen, None)
        return Change(told, lambda ledger: ledger.pay(order), order)

    return {
        "pay_a": pay("Ada pays bill A", bills[0]),
        "reverse": Change("the payment is reversed", lambda ledger: ledger.reverse(_last(ledger))),
        "pay_b": pay("Ada pays bill B", bills[1]),
        "pay_both": pay("Ada pays bills A and B", *bills),
        "move_out": Change("Ada moves out", lambda ledger: _move_out(ledger, ada, home)),
    }


def _copies(ledger: FakeLedger, changes: Sequence[Change]) -> Iterator[FakeLedger]:
    yield copy.deepcopy(ledger)
    for change in changes:
        ledger.clock.advance(timedelta(seconds=1))
        change.apply(ledger)
        yield copy.deepcopy(ledger)


def _last(ledger: FakeLedger) -> UUID:
    return list(ledger.payments)[-1]


def _move_out(ledger: FakeLedger, ada: UUID, home: UUID) -> None:
    del ledger.residencies[ada, home]
    ledger.apartments[home].version += 1


class SteppedLedger(Ledger):
    """A ledger whose every call is a step: its answer is the number of commits that it saw."""

    def __init__(self, script: Script, told: Scenario) -> None:
        self._script = script
        self._told = told

    def account(self, *, subject: UUID) -> Account | None:
        return self._seen("account").account(subject=subject)

    def access(self, *, subject: UUID, apartment_id: UUID) -> Access | None:
        return self._seen("access").access(subject=subject, apartment_id=apartment_id)

    def open_debts(self, *, subject: UUID, apartment_id: UUID) -> OpenDebts | None:
        return self._seen("open debts").open_debts(subject=subject, apartment_id=apartment_id)

    def history(
        self, *, subject: UUID, apartment_id: UUID, query: HistoryQuery
    ) -> HistoryPage | None:
        seen = self._seen("history")
        return seen.history(subject=subject, apartment_id=apartment_id, query=query)

    def pay(self, order: PaymentOrder) -> Receipt:
        """Commit; the fake answers a key that it knows without paying again."""
        committed: int = self._script.ask("commit", order.request_key)
        return self._told.at[committed].pay(order)

    def _seen(self, what: str) -> FakeLedger:
        committed: int = self._script.ask("ledger", what)
        return self._told.at[committed]


class SteppedCache(ResultCache):
    """A cache whose every call is a step; what it keeps is the text that Redis would hold."""

    def __init__(self, script: Script, command: str = "set") -> None:
        self._script = script
        self._command = command

    @property
    def newer_only(self) -> SteppedCache:
        """The same cache, with a command that replaces nothing by what is older."""
        return SteppedCache(self._script, "set if newer")

    def ask(self, *, key: str) -> PendingResult:
        self._script.ask("get", key)
        return lambda: decoded(self._script.ask("read", key), key=key)

    def store(self, *, key: str, result: CachedResult) -> None:
        self._script.ask("write", (self._command, key, encoded(key, result)))


def encoded(key: str, result: CachedResult) -> str:
    """Write an entry as RedisCache does."""
    return json.dumps([SCHEMA, key, result.version, result.body])


def decoded(text: str | None, *, key: str) -> CachedResult | None:
    """Read an entry as RedisCache does, to which garbage is nothing."""
    try:
        return None if text is None else _decode(text.encode(), key=key)
    except (ValueError, TypeError):
        return None


@dataclass(frozen=True)
class Ports:
    """What a program may talk to."""

    script: Script
    told: Scenario

    @property
    def ledger(self) -> SteppedLedger:
        return SteppedLedger(self.script, self.told)

    @property
    def cache(self) -> SteppedCache:
        return SteppedCache(self.script)

    def commit(self, change: Change) -> None:
        """Change the ledger: a payment by the shipped use case, the rest by its commit alone."""
        if change.order:
            self.ledger.pay(change.order)
        else:
            self.script.ask("commit", change.told)

    def answer(self) -> None:
        """Tell whoever asked for the change that it is made."""
        self.script.ask("answer")


NOW = START + timedelta(days=40)
# When the second of the two bills was posted that were paid before.
MIDDLE = START + timedelta(seconds=2)
