"""From values to the contract's JSON: for files on disk and for ``billing --json``."""

from __future__ import annotations

from typing import Any

from billing_client.answers import (
    Apartment,
    Debt,
    Frame,
    HistoryEvent,
    Period,
    Provider,
    Receipt,
    ReceiptLine,
)
from billing_client.fields import format_instant
from billing_client.money import Money

Json = dict[str, Any]


def encode_money(amount: Money) -> Json:
    return {"amount_minor": amount.minor, "currency": amount.currency}


def encode_total(amount: Money) -> Json:
    return {"total_minor": amount.minor, "currency": amount.currency}


def encode_apartment(apartment: Apartment) -> Json:
    return {"apartment_id": apartment.apartment_id, "address": apartment.address}


def encode_provider(provider: Provider) -> Json:
    return {"provider_id": provider.provider_id, "name": provider.name}


def encode_period(period: Period) -> Json:
    return {"from": period.first.isoformat(), "to": period.last.isoformat()}


def encode_frame(frame: Frame) -> Json:
    return {"date_down": frame.date_down, "date_up": frame.date_up}


def _bill(bill: Debt | ReceiptLine | HistoryEvent) -> Json:
    return {
        "bill_id": bill.bill_id,
        "utility": bill.utility,
        "provider": encode_provider(bill.provider),
        "period": encode_period(bill.period),
        **encode_money(bill.amount),
    }


def encode_debt(debt: Debt) -> Json:
    return {
        **_bill(debt),
        "due_on": debt.due_on.isoformat(),
        "days_overdue": debt.days_overdue,
    }


def encode_receipt(receipt: Receipt) -> Json:
    return {
        "payment_id": receipt.payment_id,
        "receipt_number": receipt.receipt_number,
        "settled_at": format_instant(receipt.settled_at),
        **encode_total(receipt.total),
        "lines": [_bill(line) for line in receipt.lines],
    }


def encode_event(event: HistoryEvent) -> Json:
    posted_at = None if event.posted_at is None else format_instant(event.posted_at)
    return {
        "event": event.event,
        **_bill(event),
        "settled_at": format_instant(event.settled_at),
        "posted_at": posted_at,
        "payment_id": event.payment_id,
        "receipt_number": event.receipt_number,
    }
