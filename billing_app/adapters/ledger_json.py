"""The ledger's values as JSON: as the database writes them and as the cache keeps them.

Both have one form, so whatever is read is read in one way. Replies show a bill in this form, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from billing_app.domain.bills import Bill, Debt, OpenDebts, Period, Provider, Receipt
from billing_app.domain.history import SettledDebt
from billing_app.ports.ledger import Account, Apartment, HistoryPage

Json = Mapping[str, Any]


def read_account(found: Json) -> Account:
    """Read the answer of `api.resident_account`."""
    apartments = tuple(
        Apartment(UUID(row["apartment_id"]), row["address"], row["former"])
        for row in found["apartments"]
    )
    return Account(name=found["name"], apartments=apartments)


def read_receipt(found: Json) -> Receipt:
    """Read the data of `api.pay`."""
    return Receipt(
        payment_id=UUID(found["payment_id"]),
        receipt_number=found["receipt_number"],
        settled_at=datetime.fromisoformat(found["settled_at"]),
        total_minor=found["total_minor"],
        currency=found["currency"],
        bills=tuple(Bill(**_bill(row, found["currency"])) for row in found["lines"]),
    )


def read_open_debts(found: Json) -> OpenDebts:
    """Read the answer of `api.open_debts`, or what `write_open_debts` wrote."""
    return OpenDebts(found["version"], tuple(map(_read_debt, found["debts"])))


def write_open_debts(found: OpenDebts) -> Json:
    """Write open debts for the cache."""
    return {"version": found.version, "debts": [write_debt(debt) for debt in found.debts]}


def read_history_page(found: Json) -> HistoryPage:
    """Read the answer of `api.settled_history`, or what `write_history_page` wrote."""
    last = found["last_posted_at"]
    return HistoryPage(
        version=found["version"],
        visible_from=datetime.fromisoformat(found["visible_from"]),
        last_posted_at=None if last is None else datetime.fromisoformat(last),
        events=tuple(map(_read_event, found["events"])),
        more=found["more"],
        known_end_exists=found["frame_known"],
    )


def write_history_page(page: HistoryPage) -> Json:
    """Write a page of the history for the cache."""
    last = page.last_posted_at
    return {
        "version": page.version,
        "visible_from": page.visible_from.isoformat(),
        "last_posted_at": None if last is None else last.isoformat(),
        "events": [_write_event(event) for event in page.events],
        "more": page.more,
        "frame_known": page.known_end_exists,
    }


def _read_debt(row: Json) -> Debt:
    due_on = date.fromisoformat(row["due_on"])
    return Debt(**_bill(row, row["currency"]), due_on=due_on, owed_by=row["owed_by"])


def write_debt(debt: Debt) -> dict[str, Any]:
    """Write an open bill."""
    return {**write_bill(debt), "due_on": debt.due_on.isoformat(), "owed_by": debt.owed_by}


def _read_event(row: Json) -> SettledDebt:
    return SettledDebt(
        seq=row["seq"],
        kind=row["event"],
        bill=Bill(**_bill(row, row["currency"])),
        posted_at=datetime.fromisoformat(row["posted_at"]),
        settled_at=datetime.fromisoformat(row["settled_at"]),
        payment_id=UUID(row["payment_id"]),
        receipt_number=row["receipt_number"],
    )


def _write_event(event: SettledDebt) -> Json:
    return {
        **write_bill(event.bill),
        "seq": event.seq,
        "event": event.kind,
        "posted_at": event.posted_at.isoformat(),
        "settled_at": event.settled_at.isoformat(),
        "payment_id": str(event.payment_id),
        "receipt_number": event.receipt_number,
    }


def _bill(row: Json, currency: str) -> dict[str, Any]:
    provider, period = row["provider"], row["period"]
    return {
        "bill_id": UUID(row["bill_id"]),
        "utility": row["utility"],
        "provider": Provider(provider["provider_id"], provider["name"]),
        "period": Period(date.fromisoformat(period["from"]), date.fromisoformat(period["to"])),
        "amount_minor": row["amount_minor"],
        "currency": currency,
    }


def write_bill(bill: Bill) -> dict[str, Any]:
    """Write what every bill has."""
    return {
        "bill_id": str(bill.bill_id),
        "utility": bill.utility,
        "provider": write_provider(bill.provider),
        "period": write_period(bill.period),
        "amount_minor": bill.amount_minor,
        "currency": bill.currency,
    }


def write_provider(provider: Provider) -> dict[str, Any]:
    """Write a provider."""
    return {"provider_id": provider.provider_id, "name": provider.name}


def write_period(period: Period) -> dict[str, Any]:
    """Write a period; both days are included."""
    return {"from": period.first_day.isoformat(), "to": period.last_day.isoformat()}
