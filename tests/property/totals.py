"""Sums of debts, as the model has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.property.values import Bill, Json, Line


def totals(bills: Sequence[Bill], providers: Mapping[str, str]) -> Json:
    """Return all sums of debts, groups in the order in which they first appear."""
    currencies = {bill.line.currency for bill in bills}
    one = len(currencies) < 2
    return {
        "currency": next(iter(currencies), None) if one else None,
        "total_minor": sum(bill.line.amount for bill in bills) if one else None,
        "by_utility": _groups(bills, lambda line: {"utility": line.utility}),
        "by_provider": _groups(bills, lambda line: {"provider": provider(line, providers)}),
        "by_period": _groups(bills, lambda line: {"period": period(line)}),
        "by_currency": _groups(bills, lambda _: {}),
    }


def provider(line: Line, providers: Mapping[str, str]) -> Json:
    """Return a provider as debts show it."""
    return {"provider_id": line.provider, "name": providers[line.provider]}


def period(line: Line) -> Json:
    """Return a period, both days included."""
    return {"from": line.period[0], "to": line.period[1]}


def _groups(bills: Sequence[Bill], of: Any) -> list[Json]:
    sums: list[Json] = []
    for line in (bill.line for bill in bills):
        group = {**of(line), "currency": line.currency}
        found = next((s for s in sums if group.items() <= s.items()), None)
        if found is None:
            found = {**group, "bills": 0, "total_minor": 0}
            sums.append(found)
        found["bills"] += 1
        found["total_minor"] += line.amount
    return sums
