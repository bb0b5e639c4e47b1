"""What the model of the ledger is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

Json = dict[str, Any]


class Answer(NamedTuple):
    """`code` is None when it was done."""

    code: str | None
    data: Any = None

    def learned(self, *names: str) -> Json:
        """Return what only the service can know, as far as it told."""
        return {name: self.data[name] for name in names if self.code is None and name in self.data}


class Line(NamedTuple):
    """A line of a file of bills."""

    apartment: str
    utility: str
    provider: str
    reference: str
    period: tuple[str, str]
    due_on: str
    amount: int
    currency: str

    @property
    def name(self) -> tuple[str, str]:
        """What the provider knows the bill by."""
        return self.provider, self.reference


class Order(NamedTuple):
    """A request to pay."""

    who: str
    key: str
    apartment: str
    bills: tuple[str, ...]
    expected: int | None

    @property
    def content(self) -> tuple[object, ...]:
        """What a key stands for: order and repetition of bills mean nothing."""
        return self.apartment, frozenset(self.bills), self.expected


@dataclass
class Bill:
    """A revision of a bill; `state` is open, paid, void or replaced."""

    bill_id: str
    line: Line
    sha256: str
    state: str = "open"


@dataclass
class Payment:
    """A payment and the bills that it paid; `reversal` is what its reversal told."""

    receipt: Json
    who: str
    apartment: str
    bills: list[Bill]
    reversal: Json | None = None


@dataclass
class Apartment:
    """`since` by resident, and all that was posted."""

    version: int = 1
    since: dict[str, str] = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)


def later(instant: str, microseconds: int) -> str:
    """Return a later instant, as the contract writes it."""
    moment = datetime.fromisoformat(instant) + timedelta(microseconds=microseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
