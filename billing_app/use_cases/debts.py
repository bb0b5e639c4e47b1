"""A resident looks at what an apartment owes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from billing_app.domain.bills import Debt, OpenDebts, Period, Provider, Total, total_by
from billing_app.domain.errors import Refusal
from billing_app.domain.instants import format_instant
from billing_app.domain.parts import cut, items_budget
from billing_app.ports.books import Books
from billing_app.ports.clock import Clock

Json = dict[str, Any]


def show_debts(*, books: Books, clock: Clock, subject: UUID, apartment_id: UUID) -> list[Json]:
    """Return the current debts in parts; each part repeats the totals of all debts.

    Raises:
        Refusal: `apartment_not_found`.
        Unavailable: the database does not answer.
    """
    open_debts = books.open_debts(subject=subject, apartment_id=apartment_id)
    if open_debts is None:
        raise Refusal("apartment_not_found")
    now = clock()
    envelope = _envelope(open_debts, apartment_id=apartment_id, now=now)
    rows = [_debt_json(debt, now=now) for debt in open_debts.debts]
    runs = cut(rows, max_bytes=items_budget(envelope=envelope), content=lambda row: row)
    return [{**envelope, "debts": run} for run in runs]


def _envelope(open_debts: OpenDebts, *, apartment_id: UUID, now: datetime) -> Json:
    debts = open_debts.debts
    return {
        "apartment_id": str(apartment_id),
        "version": open_debts.version,
        "as_of": format_instant(now),
        **_grand_total(open_debts),
        "by_utility": _totals("utility", total_by(debts, key=lambda debt: debt.utility)),
        "by_provider": _totals(
            "provider", total_by(debts, key=lambda debt: debt.provider), _provider_json
        ),
        "by_period": _totals("period", total_by(debts, key=lambda debt: debt.period), period_json),
        "by_currency": _by_currency(debts),
    }


def _grand_total(open_debts: OpenDebts) -> Json:
    """Sum everything where there is one currency; there is no sum across currencies."""
    if len(open_debts.currencies) > 1:
        return {"currency": None, "total_minor": None}
    return {
        "currency": next(iter(open_debts.currencies), None),
        "total_minor": sum(debt.amount_minor for debt in open_debts.debts),
    }


def _totals(name: str, totals: Sequence[Total[Any]], key_json: Any = str) -> list[Json]:
    return [{name: key_json(total.key), **_sum_json(total)} for total in totals]


def _by_currency(debts: Sequence[Debt]) -> list[Json]:
    return [_sum_json(total) for total in total_by(debts, key=lambda _: None)]


def _sum_json(total: Total[Any]) -> Json:
    return {
        "bills": total.bills,
        "total_minor": total.total_minor,
        "currency": total.currency,
    }


def _debt_json(debt: Debt, *, now: datetime) -> Json:
    return {
        "bill_id": str(debt.bill_id),
        "utility": debt.utility,
        "provider": _provider_json(debt.provider),
        "period": period_json(debt.period),
        "due_on": debt.due_on.isoformat(),
        "days_overdue": debt.days_overdue(today=now.date()),
        "amount_minor": debt.amount_minor,
        "currency": debt.currency,
    }


def _provider_json(provider: Provider) -> Json:
    return {"provider_id": provider.provider_id, "name": provider.name}


def period_json(period: Period) -> Json:
    """Write a billing period as the contract does: both days included."""
    return {"from": period.first_day.isoformat(), "to": period.last_day.isoformat()}
