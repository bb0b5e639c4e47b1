"""A resident looks at what an apartment owes.

The list and its totals are a computed result: the same for every resident of the apartment until
its version moves. What depends on the moment (`as_of`, `days_overdue`) is added on the way out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from billing_app.domain.bills import (
    Debt,
    OpenDebts,
    Period,
    Provider,
    Total,
    days_overdue,
    total_by,
)
from billing_app.domain.instants import format_instant
from billing_app.domain.parts import cut, items_budget
from billing_app.ports.cache import CachedResult, ResultCache
from billing_app.ports.clock import Clock
from billing_app.ports.ledger import Ledger
from billing_app.use_cases.fresh_results import fresh_result

Json = dict[str, Any]


def show_debts(
    *, ledger: Ledger, cache: ResultCache, clock: Clock, subject: UUID, apartment_id: UUID
) -> list[Json]:
    """Return the current debts in parts; each part repeats the totals of all debts.

    Raises:
        Rejection: `apartment_not_found`.
        Unavailable: the database does not answer.
    """
    result = fresh_result(
        ledger=ledger,
        cache=cache,
        subject=subject,
        apartment_id=apartment_id,
        key=f"debts:{apartment_id.hex}",
        compute=lambda: _compute(ledger, subject=subject, apartment_id=apartment_id),
    )
    return _parts(result, apartment_id=apartment_id, now=clock())


def _compute(ledger: Ledger, *, subject: UUID, apartment_id: UUID) -> CachedResult | None:
    found = ledger.open_debts(subject=subject, apartment_id=apartment_id)
    if found is None:
        return None
    rows = [_debt_json(debt) for debt in found.debts]
    return CachedResult(found.version, {"totals": _all_totals(found), "debts": rows})


def _parts(result: CachedResult, *, apartment_id: UUID, now: datetime) -> list[Json]:
    envelope = {
        "apartment_id": str(apartment_id),
        "version": result.version,
        "as_of": format_instant(now),
        **result.body["totals"],
    }
    rows = [_as_of(row, today=now.date()) for row in result.body["debts"]]
    runs = cut(rows, max_bytes=items_budget(envelope=envelope), content=lambda row: row)
    return [{**envelope, "debts": run} for run in runs]


def _as_of(row: Json, *, today: date) -> Json:
    due_on = date.fromisoformat(row["due_on"])
    return {**row, "days_overdue": days_overdue(due_on=due_on, today=today)}


def _all_totals(open_debts: OpenDebts) -> Json:
    debts = open_debts.debts
    return {
        **_grand_total(open_debts),
        "by_utility": _totals("utility", total_by(debts, key=lambda debt: debt.utility)),
        "by_provider": _totals(
            "provider", total_by(debts, key=lambda debt: debt.provider), _provider_json
        ),
        "by_period": _totals("period", total_by(debts, key=lambda debt: debt.period), _period_json),
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


def _debt_json(debt: Debt) -> Json:
    return {
        "bill_id": str(debt.bill_id),
        "utility": debt.utility,
        "provider": _provider_json(debt.provider),
        "period": _period_json(debt.period),
        "due_on": debt.due_on.isoformat(),
        "amount_minor": debt.amount_minor,
        "currency": debt.currency,
    }


def _provider_json(provider: Provider) -> Json:
    return {"provider_id": provider.provider_id, "name": provider.name}


def _period_json(period: Period) -> Json:
    return {"from": period.first_day.isoformat(), "to": period.last_day.isoformat()}
