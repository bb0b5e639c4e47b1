"""From the contract's JSON to values and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NoReturn

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

    def day(self, field: str) -> date:
        """Return a date."""
        try:
            return date.fromisoformat(self.text(field))
        except ValueError:
            return self._reject(field)

    def instant(self, field: str) -> datetime:
        """Return an instant in UTC."""
        try:
            return parse_instant(self.text(field))
        except ValueError:
            return self._reject(field)

    def inner(self, field: str) -> Fields:
        """Return the fields of a nested object."""
        return Fields.of(self.values.get(field), f"{self.name}.{field}")

    def items(self, field: str) -> Iterator[Fields]:
        """Yield the fields of each object of an array."""
        found = self.values.get(field)
        if not isinstance(found, list):
            self._reject(field)
        yield from (Fields.of(item, f"{self.name}.{field}") for item in found)

    def _reject(self, field: str) -> NoReturn:
        raise UnexpectedAnswer(f"The service's answer has no valid {self.name}.{field}.")


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
    return Login(
        resident_name=data.inner("resident").text("name"),
        apartments=tuple(
            Apartment(item.text("apartment_id"), item.text("address"))
            for item in data.items("apartments")
        ),
        tokens=Tokens(
            id_token=tokens.text("id_token"),
            access_token=tokens.text("access_token"),
            refresh_token=tokens.optional_text("refresh_token")
            or refresh_token
            or tokens.text("refresh_token"),
            expires_in_seconds=tokens.integer("expires_in_seconds"),
        ),
    )


def decode_debts(parts: list[Fields]) -> Debts:
    """Join the parts of one answer and check them against the total in each of them."""
    first = parts[0]
    debts = tuple(
        Debt(
            **_bill(item, item.text("currency")),
            due_on=item.day("due_on"),
            days_overdue=item.integer("days_overdue"),
        )
        for part in parts
        for item in part.items("debts")
    )
    # There is no total if currencies are mixed.
    total = first.integer("total_minor") if first.has("total_minor") else None
    if total not in (None, sum(debt.amount.minor for debt in debts)):
        raise UnexpectedAnswer("The debts don't add up to the total that came with them.")
    return Debts(
        apartment_id=first.text("apartment_id"),
        version=first.integer("version"),
        as_of=first.instant("as_of"),
        debts=debts,
    )


def decode_receipt(parts: list[Fields]) -> Receipt:
    """Join the parts of one receipt: each has some of its lines and all of the rest."""
    first = parts[0]
    currency = first.text("currency")
    lines = (item for part in parts for item in part.items("lines"))
    return Receipt(
        payment_id=first.text("payment_id"),
        receipt_number=first.text("receipt_number"),
        settled_at=first.instant("settled_at"),
        total=Money(first.integer("total_minor"), currency),
        lines=tuple(Bill(**_bill(line, currency)) for line in lines),
    )


def decode_history_part(data: Fields) -> HistoryPart:
    """Read a part of the history."""
    return HistoryPart(
        apartment_id=data.text("apartment_id"),
        covered=decode_frame(data.inner("covered")),
        cursor=data.optional_text("cursor"),
        more=data.flag("more"),
        events=tuple(decode_event(item) for item in data.items("settled_debts")),
    )


def decode_frame(covered: Fields) -> Frame:
    """Read a frame; its texts are kept as they are once they are known to be instants."""
    covered.instant("date_down")
    covered.instant("date_up")
    return Frame(covered.text("date_down"), covered.text("date_up"))


def decode_event(item: Fields) -> HistoryEvent:
    """Read an event of the history."""
    return HistoryEvent(
        **_bill(item, item.text("currency")),
        event=item.text("event"),
        settled_at=item.instant("settled_at"),
        payment_id=item.text("payment_id"),
        receipt_number=item.text("receipt_number"),
        posted_at=item.instant("posted_at") if item.has("posted_at") else None,
    )


def _bill(item: Fields, currency: str) -> dict[str, Any]:
    period = item.inner("period")
    return {
        "bill_id": item.text("bill_id"),
        "utility": item.text("utility"),
        "provider": _provider(item),
        "period": Period(period.day("from"), period.day("to")),
        "amount": Money(item.integer("amount_minor"), currency),
    }


def _provider(item: Fields) -> Provider:
    """Read a provider: an object in debts, a name beside its id in receipts and history."""
    name = item.values.get("provider")
    if isinstance(name, str):
        return Provider(item.optional_text("provider_id") or name, name)
    provider = item.inner("provider")
    return Provider(provider.text("provider_id"), provider.text("name"))


def encode_total(amount: Money) -> Json:
    """Write a sum."""
    return {"total_minor": amount.minor, "currency": amount.currency}


def encode_apartment(apartment: Apartment) -> Json:
    """Write an apartment."""
    return {"apartment_id": apartment.apartment_id, "address": apartment.address}


def encode_provider(provider: Provider) -> Json:
    """Write a provider."""
    return {"provider_id": provider.provider_id, "name": provider.name}


def encode_period(period: Period) -> Json:
    """Write a period."""
    return {"from": period.first.isoformat(), "to": period.last.isoformat()}


def encode_frame(frame: Frame | None) -> Json | None:
    """Write a frame."""
    return None if frame is None else {"date_down": frame.date_down, "date_up": frame.date_up}


def encode_bill(bill: Bill) -> Json:
    """Write what every bill has."""
    return {
        "bill_id": bill.bill_id,
        "utility": bill.utility,
        "provider": encode_provider(bill.provider),
        "period": encode_period(bill.period),
        "amount_minor": bill.amount.minor,
        "currency": bill.amount.currency,
    }


def encode_debt(debt: Debt) -> Json:
    """Write an open bill."""
    due = {"due_on": debt.due_on.isoformat(), "days_overdue": debt.days_overdue}
    return {**encode_bill(debt), **due}


def encode_receipt(receipt: Receipt, *, reversed_at: datetime | None = None) -> Json:
    """Write a receipt, and when its payment was reversed."""
    return {
        "payment_id": receipt.payment_id,
        "receipt_number": receipt.receipt_number,
        "settled_at": format_instant(receipt.settled_at),
        **encode_total(receipt.total),
        "lines": [encode_bill(line) for line in receipt.lines],
        "reversed_at": None if reversed_at is None else format_instant(reversed_at),
    }


def encode_event(event: HistoryEvent) -> Json:
    """Write an event of the history."""
    return {
        "event": event.event,
        **encode_bill(event),
        "settled_at": format_instant(event.settled_at),
        "posted_at": None if event.posted_at is None else format_instant(event.posted_at),
        "payment_id": event.payment_id,
        "receipt_number": event.receipt_number,
    }
