"""The service's answers as values. Instants are UTC, periods include both days."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from billing_client.money import Money, totals


@dataclass(frozen=True)
class Apartment:
    apartment_id: str
    address: str


@dataclass(frozen=True)
class Tokens:
    """Credentials of a session; kept out of ``repr`` so that logs don't show them."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_seconds: int


@dataclass(frozen=True)
class Login:
    resident_name: str
    apartments: tuple[Apartment, ...]
    tokens: Tokens


@dataclass(frozen=True, order=True)
class Provider:
    provider_id: str
    name: str


@dataclass(frozen=True, order=True)
class Period:
    """Days that a bill is for, both included."""

    first: date
    last: date


@dataclass(frozen=True)
class Debt:
    """An open bill. ``days_overdue`` is 0 until the day after ``due_on``."""

    bill_id: str
    utility: str
    provider: Provider
    period: Period
    due_on: date
    days_overdue: int
    amount: Money


@dataclass(frozen=True)
class Debts:
    """All open bills of an apartment as of one instant, and the version of its books."""

    apartment_id: str
    version: int
    as_of: datetime
    debts: tuple[Debt, ...]

    @property
    def totals(self) -> tuple[Money, ...]:
        """What is owed, one sum for each currency; empty when nothing is owed."""
        return totals(debt.amount for debt in self.debts)


@dataclass(frozen=True)
class ReceiptLine:
    bill_id: str
    utility: str
    provider: Provider
    period: Period
    amount: Money


@dataclass(frozen=True)
class Receipt:
    """A settled payment."""

    payment_id: str
    receipt_number: str
    settled_at: datetime
    total: Money
    lines: tuple[ReceiptLine, ...]


@dataclass(frozen=True)
class HistoryEvent:
    """A bill that was paid (``event`` is "payment"), or whose payment was taken back ("reversal").

    ``posted_at`` is the instant by which frames of history are cut, where the service tells it.
    """

    event: str
    bill_id: str
    utility: str
    provider: Provider
    period: Period
    amount: Money
    settled_at: datetime
    payment_id: str
    receipt_number: str
    posted_at: datetime | None = None

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.event, self.payment_id, self.bill_id

    @property
    def signed(self) -> Money:
        """The amount as it counts in a sum: what was taken back is negative."""
        sign = -1 if self.event == "reversal" else 1
        return Money(sign * self.amount.minor, self.amount.currency)


@dataclass(frozen=True)
class Frame:
    """The half-open stretch of posting instants [date_down, date_up) that a client holds.

    The texts are kept as the service wrote them, because it wants them back unchanged.
    """

    date_down: str
    date_up: str


@dataclass(frozen=True)
class HistoryPart:
    """A stretch of history, and the frame that is held once it has been added."""

    apartment_id: str
    covered: Frame
    cursor: str | None
    more: bool
    events: tuple[HistoryEvent, ...]
