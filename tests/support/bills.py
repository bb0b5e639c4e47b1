"""Bills for tests, with usual values for what a test doesn't say.

A new field of a bill gets its usual value here, and no test needs to know.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from billing_app.domain.bill_lines import EXAMPLE_LINE, BillLine
from billing_app.domain.bills import Debt, Period, Provider

APARTMENT = EXAMPLE_LINE.apartment_id
NORTH_GAS = Provider("north-gas", "North Gas")


def a_line(*, month: int = 10, **changes: Any) -> BillLine:
    """Return a line of a bill file: gas for a month of 2026, 51.40 EUR, due 45 days after it."""
    first_day = date(2026, month, 1)
    last_day = (first_day + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    days = {
        "period_from": first_day,
        "period_to": last_day,
        "due_on": last_day + timedelta(days=45),
    }
    return replace(EXAMPLE_LINE, **{"provider_reference": "G-1", **days, **changes})


def a_debt(*, month: int = 10, provider: Provider = NORTH_GAS, **changes: Any) -> Debt:
    """Return the open bill of such a line."""
    return replace(as_debt(a_line(month=month), provider), **changes)


def as_debt(line: BillLine, provider: Provider, bill_id: UUID | None = None) -> Debt:
    """Return the open bill of a line, by default with a new id."""
    return Debt(
        bill_id=bill_id or uuid4(),
        provider=provider,
        period=Period(line.period_from, line.period_to),
        **_common(line),
    )


def _common(bill: BillLine | Debt) -> dict[str, Any]:
    """Return the fields that the line of a file and an open bill both have."""
    names = {one.name for one in fields(BillLine)} & {one.name for one in fields(Debt)}
    return {name: getattr(bill, name) for name in names}


def as_line(debt: Debt, *, apartment_id: UUID) -> BillLine:
    """Return the line that issues an open bill; its id serves as the provider's reference."""
    return a_line(
        apartment_id=apartment_id,
        provider_id=debt.provider.provider_id,
        provider_reference=str(debt.bill_id),
        period_from=debt.period.first_day,
        period_to=debt.period.last_day,
        **_common(debt),
    )
