"""From the contract's JSON to values and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, NoReturn, get_type_hints

from billing_client.errors import UnexpectedAnswer
from billing_client.models import (
    Apartment,
    Bill,
    Debt,
    Debts,
    Frame,
    HistoryEvent,
    HistoryPart,
    Login,
    Money,
    Period,
    Provider,
    Receipt,
    Tokens,
)

Json = dict[str, Any]


@dataclass(frozen=True)
class Fields:
    """A JSON object whose fields are checked as they are read.

    Unknown fields are ignored, so that the service may add some. A field that is missing or has
    another type raises UnexpectedAnswer, which names it.
    """

    values: dict[str, object]
    name: str

    @classmethod
    def of(cls, value: object, name: str) -> Fields:
        """Return the fields of a JSON object; `name` is what errors call it."""
        if not isinstance(value, dict):
            raise UnexpectedAnswer(f"The service's answer has no valid {name}.")
        return cls(value, name)

    def has(self, field: str) -> bool:
        """Tell whether a field is there and not null."""
        return self.values.get(field) is not None

    def text(self, field: str) -> str:
        """Return a string."""
        value = self.values.get(field)
        return value if isinstance(value, str) else self._reject(field)

    def optional_text(self, field: str) -> str | None:
        """Return a string, None if it is missing or null."""
        return self.text(field) if self.has(field) else None

    def integer(self, field: str) -> int:
        """Return an integer."""
        value = self.values.get(field)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        return self._reject(field)

    def flag(self, field: str) -> bool:
        """Return a boolean."""
        value = self.values.get(field)
        return value if isinstance(value, bool) else self._reject(field)

    def optional_flag(self, field: str) -> bool | None:
        """Return a boolean, None if it is missing or null."""
        return self.flag(field) if self.has(field) else None

    def day(self, field: str) -> date:
        """Return a date."""
        try:
            return date.fromisoformat(self.text(field))
        except ValueError:
            return self._reject(field)

    def optional_day(self, field: str) -> date | None:
        """Return a date, None if it is missing or null."""
        return self.day(field) if self.has(field) else None

    def instant(self, field: str) -> datetime:
        """Return an instant in UTC."""
        try:
            return parse_instant(self.text(field))
        except ValueError:
            return self._reject(field)

    def optional_instant(self, field: str) -> datetime | None:
        """Return an instant in UTC, None if it is missing or null."""
        return self.instant(field) if self.has(field) else None

    def inner(self, field: str) -> Fields:
        """Return the fields of a nested object."""
        return Fields.of(self.values.get(field), f"{self.name}.{field}")

    def items(self, field: str) -> Iterator[Fields]:
        """Yield the fields of each object of an array."""
        found = self.values.get(field)
        if not isinstance(found, list):
            self._reject(field)
        yield from (Fields.of(item, f"{self.name}.{field}") for item in found)

    def plain(self, kind: type) -> dict[str, Any]:
        """Return the texts, numbers and times that a dataclass has, read as its types say."""
        return {name: read(self, name) for name, read in _readers(kind)}

    def _reject(self, field: str) -> NoReturn:
        raise UnexpectedAnswer(f"The service's answer has no valid {self.name}.{field}.")


_READERS: dict[object, Callable[[Fields, str], object]] = {
    str: Fields.text,
    int: Fields.integer,
    bool: Fields.flag,
    date: Fields.day,
    datetime: Fields.instant,
    str | None: Fields.optional_text,
    date | None: Fields.optional_day,
    bool | None: Fields.optional_flag,
    datetime | None: Fields.optional_instant,
}


@cache
def _readers(kind: type) -> list[tuple[str, Callable[[Fields, str], object]]]:
    hints = get_type_hints(kind).items()
    return [(name, _READERS[hint]) for name, hint in hints if hint in _READERS]


def parse_instant(text: str) -> datetime:
    """Return a UTC datetime from ISO 8601 text; raises ValueError if there is no offset."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return instant.astimezone(UTC)


def format_instant(instant: datetime) -> str:
    """Return the contract's format: UTC with microseconds and Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def decode_login(data: Fields, *, refresh_token: str | None = None) -> Login:
    """Read a login; `refresh_token` stays in use where a renewal returns no new one."""
    tokens = data.inner("tokens")
    if refresh_token and not tokens.has("refresh_token"):
        tokens = Fields({**tokens.values, "refresh_token": refresh_token}, tokens.name)
    return Login(
        resident_name=data.inner("resident").text("name"),
        apartments=tuple(Apartment(**item.plain(Apartment)) for item in data.items("apartments")),
        tokens=Tokens(**tokens.plain(Tokens)),
    )


def joined_login(parts: list[Fields]) -> Fields:
    """Join the parts of one login: each has some of the apartments and all of the rest."""
    apartments = [item.values for part in parts for item in part.items("apartments")]
    return Fields({**parts[0].values, "apartments": apartments}, parts[0].name)


def decode_debts(parts: list[Fields]) -> Debts:
    """Join the parts of one answer and check them against the total in each of them."""
    first = parts[0]
    debts = _debts(parts, "debts")
    others = "former_residents_debts"
    # There is no total if currencies are mixed.
    total = first.integer("total_minor") if first.has("total_minor") else None
    if total not in (None, sum(debt.amount.minor for debt in debts)):
        raise UnexpectedAnswer("The debts don't add up to the total that came with them.")
    return Debts(
        **first.plain(Debts),
        debts=debts,
        former_residents_debts=_debts([part for part in parts if part.has(others)], others),
    )


def _debts(parts: list[Fields], field: str) -> tuple[Debt, ...]:
    return tuple(Debt(**_bill(item, Debt)) for part in parts for item in part.items(field))


def decode_receipt(parts: list[Fields]) -> Receipt:
    """Join the parts of one receipt: each has some of its lines and all of the rest."""
    first = parts[0]
    currency = first.text("currency")
    lines = (item for part in parts for item in part.items("lines"))
    return Receipt(
        **first.plain(Receipt),
        total=Money(first.integer("total_minor"), currency),
        lines=tuple(Bill(**_bill(line, Bill, currency)) for line in lines),
    )


def decode_history_part(data: Fields) -> HistoryPart:
    """Read a part of the history."""
    return HistoryPart(
        **data.plain(HistoryPart),
        covered=decode_frame(data.inner("covered")),
        events=tuple(decode_event(item) for item in data.items("settled_debts")),
    )


def decode_frame(covered: Fields) -> Frame:
    """Read a frame; its texts are kept as they are once they are known to be instants."""
    covered.instant("date_down")
    covered.instant("date_up")
    return Frame(**covered.plain(Frame))


def decode_event(item: Fields) -> HistoryEvent:
    """Read an event of the history."""
    return HistoryEvent(**_bill(item, HistoryEvent))


def _bill(item: Fields, kind: type[Bill], currency: str | None = None) -> dict[str, Any]:
    """Read a bill of some kind; older services send no currency in a receipt's lines."""
    period = item.inner("period")
    return {
        **item.plain(kind),
        "provider": _provider(item),
        "period": Period(period.day("from"), period.day("to")),
        "amount": Money(item.integer("amount_minor"), currency or item.text("currency")),
    }


def _provider(item: Fields) -> Provider:
    """Read a provider: an object in debts, a name beside its id in receipts and history."""
    name = item.values.get("provider")
    if isinstance(name, str):
        return Provider(item.optional_text("provider_id") or name, name)
    return Provider(**item.inner("provider").plain(Provider))


def encode_total(amount: Money) -> Json:
    """Write a sum."""
    return {"total_minor": amount.minor, "currency": amount.currency}


def encode_frame(frame: Frame | None) -> Json | None:
    """Write a frame."""
    return None if frame is None else encode_plain(frame)


def encode_plain(value: Any) -> Json:
    """Write what `Fields.plain` reads: the texts, numbers and times of a dataclass."""
    return {name: _written(getattr(value, name)) for name, _ in _readers(value.__class__)}


def _written(value: object) -> object:
    if isinstance(value, datetime):
        return format_instant(value)
    return value.isoformat() if isinstance(value, date) else value


def encode_period(period: Period) -> Json:
    """Write a period."""
    return {"from": period.first.isoformat(), "to": period.last.isoformat()}


def encode_bill(bill: Bill) -> Json:
    """Write a bill of any kind."""
    return {
        **encode_plain(bill),
        "provider": encode_plain(bill.provider),
        "period": encode_period(bill.period),
        "amount_minor": bill.amount.minor,
        "currency": bill.amount.currency,
    }


def encode_receipt(receipt: Receipt, *, reversed_at: datetime | None = None) -> Json:
    """Write a receipt, and when its payment was reversed."""
    return {
        **encode_plain(receipt),
        **encode_total(receipt.total),
        "lines": [encode_bill(line) for line in receipt.lines],
        "reversed_at": _written(reversed_at),
    }
