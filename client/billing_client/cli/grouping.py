"""Bills grouped by utility, provider, period or payment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from billing_client.cli.formatting import period_text
from billing_client.models import Bill, HistoryEvent, Period, Provider
from billing_client.serialization import Json, encode_period, encode_plain


@dataclass(frozen=True)
class PaymentGroup:
    """The payment that paid several bills."""

    payment_id: str
    receipt_number: str


Group = str | Provider | Period | PaymentGroup
AnyBill = TypeVar("AnyBill", bound=Bill)

BILL_GROUPINGS: dict[str, Callable[[Any], Group]] = {
    "utility": lambda bill: bill.utility,
    "provider": lambda bill: bill.provider,
    "period": lambda bill: bill.period,
}


def _payment(event: HistoryEvent) -> PaymentGroup:
    return PaymentGroup(event.payment_id, event.receipt_number)


HISTORY_GROUPINGS: dict[str, Callable[[Any], Group]] = {**BILL_GROUPINGS, "payment": _payment}


def grouped(bills: Iterable[AnyBill], by: str) -> dict[Group, list[AnyBill]]:
    """Return bills by group, ordered by its name; payments stay in the order of the bills."""
    groups: dict[Group, list[AnyBill]] = {}
    for bill in bills:
        groups.setdefault(HISTORY_GROUPINGS[by](bill), []).append(bill)
    if by == "payment":
        return groups
    return dict(sorted(groups.items(), key=lambda item: group_text(item[0]).casefold()))


def group_text(group: Group) -> str:
    """Return the name of a group."""
    match group:
        case Provider():
            return group.name
        case Period():
            return period_text(group)
        case PaymentGroup():
            return f"Receipt {group.receipt_number}"
    return group


def group_json(group: Group) -> Json | str:
    """Return a group for programs."""
    match group:
        case Provider():
            return encode_plain(group)
        case Period():
            return encode_period(group)
        case PaymentGroup():
            return {"payment_id": group.payment_id, "receipt_number": group.receipt_number}
    return group
