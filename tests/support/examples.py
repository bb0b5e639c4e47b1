"""Examples of domain values for tests."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from billing_app.domain.bills import Debt, Period, Provider

NORTH_GAS = Provider("north-gas", "North Gas")


def a_debt(
    *,
    amount_minor: int = 5140,
    utility: str = "gas",
    provider: Provider = NORTH_GAS,
    month: int = 1,
    currency: str = "EUR",
) -> Debt:
    """Return a debt for a month of 2026."""
    return Debt(
        bill_id=uuid4(),
        utility=utility,
        provider=provider,
        period=Period(date(2026, month, 1), date(2026, month, 28)),
        due_on=date(2026, month, 28),
        amount_minor=amount_minor,
        currency=currency,
    )
