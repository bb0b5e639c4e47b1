"""What the service must answer, rebuilt from the ledger's tables: the shapes of the contract."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tools.chaos.checker.ledger import Ledger, Row

Json = dict[str, Any]

# A longer one is left out.
_BREAKDOWN_BYTES = 15_000
# The list of what others owe, in answers about debts.
OTHERS = "former_residents_debts"
_WRITTEN = "%Y-%m-%dT%H:%M:%S.%fZ"


def later(instant: str, microseconds: int = 1) -> str:
    """Return the instant that is so many microseconds later, as the contract writes it."""
    moment = datetime.fromisoformat(instant) + timedelta(microseconds=microseconds)
    return moment.strftime(_WRITTEN)


def receipt(ledger: Ledger, payment: Row) -> Json:
    """Return a payment as its payer sees it."""
    names = ("payment_id", "receipt_number", "settled_at", "total_minor", "currency")
    lines = [_line(row) for row in _lines(ledger, payment["payment_id"])]
    return {**{name: payment[name] for name in names}, "status": "settled", "lines": lines}


def events(ledger: Ledger, payment: Row, *, reversed_at: str | None = None) -> list[Json]:
    """Return what the history shows of a payment, or of its reversal: an event for each line."""
    at = reversed_at or payment["settled_at"]
    told = {
        "event": "reversal" if reversed_at else "payment",
        "settled_at": at,
        "payment_id": payment["payment_id"],
        "receipt_number": payment["receipt_number"],
    }
    return [
        {**told, **_line(row), "posted_at": later(at, number)}
        for number, row in enumerate(_lines(ledger, payment["payment_id"]))
    ]


def identity(event: Row) -> tuple[str, str, str]:
    """Return what no two events have in common."""
    return event["event"], event["payment_id"], event["bill_id"]


def _lines(ledger: Ledger, payment_id: str) -> list[Row]:
    rows = ledger.lines.get(payment_id, [])
    return sorted(rows, key=lambda row: (row["period_from"], row["utility"], row["bill_id"]))


def _line(row: Row) -> Json:
    names = ("bill_id", "utility", "amount_minor", "currency", "provider_id")
    shown = {name: row[name] for name in names}
    return {**shown, "provider": row["provider_name"], "period": _period(row)}


def debts(ledger: Ledger, bills: Iterable[str], *, as_of: str, others: Iterable[str] = ()) -> Json:
    """Return what debts show when these bills are open, and `others` of former residents.

    It lacks whose they are and at which version.
    """
    rows = sorted(
        (ledger.bills[bill_id] for bill_id in bills),
        key=lambda row: (row["due_on"], row["utility"], row["bill_id"]),
    )
    today = datetime.fromisoformat(as_of).astimezone(ZoneInfo(ledger.time_zone)).date()
    by_currency = _totals(rows, lambda _: {})
    only = by_currency[0] if by_currency else {"currency": None, "total_minor": 0}
    one = only if len(by_currency) < 2 else {}
    return {
        "today": today.isoformat(),
        "time_zone": ledger.time_zone,
        "currency": one.get("currency"),
        "total_minor": one.get("total_minor"),
        "by_utility": _breakdown(rows, lambda row: {"utility": row["utility"]}),
        "by_provider": _breakdown(rows, lambda row: {"provider": _provider(ledger, row)}),
        "by_period": _breakdown(rows, lambda row: {"period": _period(row)}),
        "by_currency": by_currency,
        "debts": [{**_debt(ledger, row, today=today), "owed_by": "you"} for row in rows],
        OTHERS: [
            {**_debt(ledger, row, today=today), "owed_by": "former_resident"}
            for row in sorted(
                (ledger.bills[bill_id] for bill_id in others),
                key=lambda row: (row["due_on"], row["utility"], row["bill_id"]),
            )
        ],
    }


def addresses(ledger: Ledger, listed: Iterable[Mapping[str, Any]]) -> list[Json]:
    """Return what a login lists of these apartments: the present ones, then the `former`."""
    former = {one["apartment_id"]: one.get("former") for one in listed}
    found = [ledger.apartments[one] for one in former if one in ledger.apartments]
    rows = sorted((former[r["apartment_id"]], r["address"], r["apartment_id"]) for r in found)
    return [
        {"apartment_id": apartment, "address": address, "former": has_left}
        for has_left, address, apartment in rows
    ]


def _debt(ledger: Ledger, row: Row, *, today: date) -> Json:
    overdue = (today - date.fromisoformat(row["due_on"])).days
    names = ("bill_id", "utility", "amount_minor", "currency", "due_on")
    shown = {name: row[name] for name in names}
    place = {"provider": _provider(ledger, row), "period": _period(row)}
    return {**shown, **place, "days_overdue": max(0, overdue)}


def _breakdown(rows: Sequence[Row], group: Callable[[Row], Json]) -> list[Json] | None:
    totals = _totals(rows, group)
    return totals if len(json.dumps(totals, separators=(",", ":"))) <= _BREAKDOWN_BYTES else None


def _totals(rows: Sequence[Row], group: Callable[[Row], Json]) -> list[Json]:
    """Return sums by group and currency, in the order in which these first appear."""
    found: dict[str, Json] = {}
    for row in rows:
        key = {**group(row), "currency": row["currency"]}
        total = found.setdefault(str(key), {**key, "bills": 0, "total_minor": 0})
        total["bills"] += 1
        total["total_minor"] += row["amount_minor"]
    return list(found.values())


def _provider(ledger: Ledger, row: Row) -> Mapping[str, Any]:
    name = ledger.providers.get(row["provider_id"], {}).get("name")
    return {"provider_id": row["provider_id"], "name": name}


def _period(row: Row) -> Json:
    return {"from": row["period_from"], "to": row["period_to"]}
