"""Values of the API. Instants are UTC, periods include both days, money is in minor units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from iso4217 import Currency


@dataclass(frozen=True, order=True)
class Money:
    """An amount in the minor units of an ISO 4217 currency (5140 EUR is 51.40 euro)."""

    minor: int
    currency: str

    @property
    def decimal(self) -> Decimal | None:
        """The amount in major units, or None if ISO 4217 defines no minor unit for it."""
        exponent = minor_unit_exponent(self.currency)
        return None if exponent is None else Decimal(self.minor).scaleb(-exponent)

    def __str__(self) -> str:
        return f"{self.amount_text} {self.currency}"

    @property
    def amount_text(self) -> str:
        """The amount with thousands separators, without the currency.

        An unknown currency shows its minor units: a wrong decimal point would be a wrong sum.
        """
        value = self.decimal
        return f"{self.minor:,} minor units of" if value is None else f"{value:,f}"


def minor_unit_exponent(currency: str) -> int | None:
    """Return the number of decimals of a currency (EUR 2, JPY 0, KWD 3), None if unknown."""
    try:
        return Currency(currency).exponent
    except ValueError:
        return None


def totals(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """Return one sum for each currency, ordered by its code."""
    sums: dict[str, int] = {}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor
    return tuple(Money(sums[code], code) for code in sorted(sums))


@dataclass(frozen=True)
class Apartment:
    """An apartment of the resident; a `former` one they have left.

    Older services, and sessions that were stored before, don't say it.
    """

    apartment_id: str
    address: str
    former: bool | None = None


@dataclass(frozen=True)
class Tokens:
    """Credentials of a session; kept out of `repr` so that logs don't show them."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_seconds: int


@dataclass(frozen=True)
class Login:
    """A successful login: who it is, their apartments and the tokens of the session."""

    resident_name: str
    apartments: tuple[Apartment, ...]
    tokens: Tokens


@dataclass(frozen=True, order=True)
class Provider:
    """A utility company."""

    provider_id: str
    name: str


@dataclass(frozen=True, order=True)
class Period:
    """The days a bill is for, both included."""

    first: date
    last: date


@dataclass(frozen=True)
class Bill:
    """What every bill has, open or paid."""

    bill_id: str
    utility: str
    provider: Provider
    period: Period
    amount: Money


@dataclass(frozen=True)
class Debt(Bill):
    """An open bill. `days_overdue` is 0 until the day after `due_on`.

    `owed_by` is "you" or "former_resident"; older services don't send it.
    """

    due_on: date
    days_overdue: int
    owed_by: str | None = None


@dataclass(frozen=True)
class Debts:
    """All open bills of an apartment as of one instant, and the version of its ledger.

    `former_residents_debts` are open bills that the resident is shown and does not owe; no total
    has them. `today` is the day of that instant in the service's `time_zone` (IANA), which
    counts for `days_overdue`. Older services don't send the three.
    """

    apartment_id: str
    version: int
    as_of: datetime
    debts: tuple[Debt, ...]
    former_residents_debts: tuple[Debt, ...] = ()
    today: date | None = None
    time_zone: str | None = None

    @property
    def totals(self) -> tuple[Money, ...]:
        """The sum owed in each currency; empty when nothing is owed."""
        return totals(debt.amount for debt in self.debts)


@dataclass(frozen=True)
class Receipt:
    """A settled payment and the bills it paid."""

    payment_id: str
    receipt_number: str
    settled_at: datetime
    total: Money
    lines: tuple[Bill, ...]


@dataclass(frozen=True)
class HistoryEvent(Bill):
    """A bill that was paid (`event` is "payment") or whose payment was reversed ("reversal").

    History is divided into time frames by `posted_at`; older services don't send it.
    """

    event: str
    settled_at: datetime
    payment_id: str
    receipt_number: str
    posted_at: datetime | None = None

    @property
    def identity(self) -> tuple[str, str, str]:
        """The key of the event."""
        return self.event, self.payment_id, self.bill_id

    @property
    def posted(self) -> datetime:
        """The instant that orders events."""
        return self.posted_at or self.settled_at

    @property
    def signed(self) -> Money:
        """The amount as it counts in a sum: a reversal is negative."""
        sign = -1 if self.event == "reversal" else 1
        return Money(sign * self.amount.minor, self.amount.currency)


@dataclass(frozen=True)
class Frame:
    """The half-open range of posting instants [date_down, date_up) that a client holds.

    The texts stay as the service wrote them, because it expects them back unchanged.
    """

    date_down: str
    date_up: str


@dataclass(frozen=True)
class HistoryPart:
    """Some events of the history, and the frame that is held once they are added."""

    apartment_id: str
    covered: Frame
    cursor: str | None
    more: bool
    events: tuple[HistoryEvent, ...]


@dataclass(frozen=True)
class PendingRequest:
    """A request without a reply yet: all that is needed to ask for the reply again.

    `request_id` is None until the gateway has accepted the request, and when its acceptance
    got lost. `body` has no queue name, and is empty for a login, so that no password is kept.
    Only payments have an `idempotency_key`, and `asked_at`: when the user decided to pay, in
    seconds since 1970 by this machine's clock. 0 means long ago.
    """

    operation: str
    path: str
    queue_name: str = ""
    request_id: str | None = None
    idempotency_key: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    asked_at: int = 0

    @property
    def poll_path(self) -> str:
        """Where the reply is polled."""
        return f"{self.path}/{self.queue_name}"

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PendingRequest:
        """Read what `as_json` wrote.

        Raises:
            ValueError: `value` is something else.
        """
        known = {name: value.get(name) for name in cls.__dataclass_fields__}
        required = (known["operation"], known["path"], known["queue_name"])
        optional = (known["request_id"] or "", known["idempotency_key"] or "")
        texts = all(isinstance(text, str) for text in (*required, *optional))
        known["asked_at"] = known["asked_at"] or 0
        if not texts or not isinstance(known["body"], dict) or type(known["asked_at"]) is not int:
            raise ValueError("This is not a pending request.")
        # The types were checked above, field by field, where mypy can't follow.
        return cls(**known)  # type: ignore[arg-type]
