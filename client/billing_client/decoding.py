"""From the contract's JSON to values. What does not fit raises UnexpectedAnswer."""

from __future__ import annotations

from billing_client.answers import (
    Apartment,
    Debt,
    Debts,
    Frame,
    HistoryEvent,
    HistoryPart,
    Login,
    Period,
    Provider,
    Receipt,
    ReceiptLine,
    Tokens,
)
from billing_client.errors import UnexpectedAnswer
from billing_client.fields import Fields
from billing_client.money import Money


def decode_login(data: Fields, *, refresh_token: str | None = None) -> Login:
    """Read an answer of /auth; a renewal that gives no refresh token keeps ``refresh_token``."""
    tokens = data.inner("tokens")
    return Login(
        resident_name=data.inner("resident").text("name"),
        apartments=tuple(decode_apartment(item) for item in data.items("apartments")),
        tokens=Tokens(
            id_token=tokens.text("id_token"),
            access_token=tokens.text("access_token"),
            refresh_token=tokens.optional_text("refresh_token")
            or refresh_token
            or tokens.text("refresh_token"),
            expires_in_seconds=tokens.whole("expires_in_seconds"),
        ),
    )


def decode_apartment(item: Fields) -> Apartment:
    return Apartment(item.text("apartment_id"), item.text("address"))


def decode_debts(parts: list[Fields]) -> Debts:
    """Join the parts of one answer, and check them against the total that each of them tells."""
    first = parts[0]
    debts = Debts(
        apartment_id=first.text("apartment_id"),
        version=first.whole("version"),
        as_of=first.instant("as_of"),
        debts=tuple(_debt(item) for part in parts for item in part.items("debts")),
    )
    _check_total(debts, first)
    return debts


def _check_total(debts: Debts, part: Fields) -> None:
    """There is no total where currencies are mixed."""
    if not part.has("total_minor"):
        return
    if sum(debt.amount.minor for debt in debts.debts) != part.whole("total_minor"):
        raise UnexpectedAnswer("The debts do not add up to the total that came with them.")


def _debt(item: Fields) -> Debt:
    return Debt(
        bill_id=item.text("bill_id"),
        utility=item.text("utility"),
        provider=_provider(item),
        period=_period(item),
        due_on=item.day("due_on"),
        days_overdue=item.whole("days_overdue"),
        amount=_amount(item),
    )


def decode_receipt(parts: list[Fields]) -> Receipt:
    """Join the parts of one receipt: each has some of its lines and all of the rest."""
    first = parts[0]
    currency = first.text("currency")
    return Receipt(
        payment_id=first.text("payment_id"),
        receipt_number=first.text("receipt_number"),
        settled_at=first.instant("settled_at"),
        total=Money(first.whole("total_minor"), currency),
        lines=tuple(
            _receipt_line(item, currency) for part in parts for item in part.items("lines")
        ),
    )


def _receipt_line(item: Fields, currency: str) -> ReceiptLine:
    return ReceiptLine(
        bill_id=item.text("bill_id"),
        utility=item.text("utility"),
        provider=_provider(item),
        period=_period(item),
        amount=Money(item.whole("amount_minor"), currency),
    )


def decode_history_part(data: Fields) -> HistoryPart:
    return HistoryPart(
        apartment_id=data.text("apartment_id"),
        covered=decode_frame(data.inner("covered")),
        cursor=data.optional_text("cursor"),
        more=data.flag("more"),
        events=tuple(decode_event(item) for item in data.items("settled_debts")),
    )


def decode_frame(covered: Fields) -> Frame:
    """Read a frame; its texts stay as they are once they are known to be instants."""
    covered.instant("date_down")
    covered.instant("date_up")
    return Frame(covered.text("date_down"), covered.text("date_up"))


def decode_event(item: Fields) -> HistoryEvent:
    return HistoryEvent(
        event=item.text("event"),
        bill_id=item.text("bill_id"),
        utility=item.text("utility"),
        provider=_provider(item),
        period=_period(item),
        amount=_amount(item),
        settled_at=item.instant("settled_at"),
        payment_id=item.text("payment_id"),
        receipt_number=item.text("receipt_number"),
        posted_at=item.instant("posted_at") if item.has("posted_at") else None,
    )


def _provider(item: Fields) -> Provider:
    """Read a provider: an object with debts, a frozen name beside its id where it was paid."""
    name = item.values.get("provider")
    if isinstance(name, str):
        return Provider(item.optional_text("provider_id") or name, name)
    provider = item.inner("provider")
    return Provider(provider.text("provider_id"), provider.text("name"))


def _period(item: Fields) -> Period:
    period = item.inner("period")
    return Period(period.day("from"), period.day("to"))


def _amount(item: Fields) -> Money:
    return Money(item.whole("amount_minor"), item.text("currency"))
