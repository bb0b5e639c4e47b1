"""Examples of domain values for tests."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

from billing_app.domain.bills import Debt, Period, Provider, Receipt
from billing_app.ports.ledger import PaymentOrder
from tests.support.fakes import FakeDependencies, FakeLedger

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


class Resident:
    """Ada, who lives in an apartment of a ledger in memory."""

    def __init__(self, ledger: FakeLedger | None = None) -> None:
        self.ledger = ledger or FakeLedger()
        self.home = self.ledger.add_apartment()
        self.subject = self.ledger.add_resident("Ada", self.home)
        self.needs = FakeDependencies(self.ledger)

    def bill(self, **debt: Any) -> UUID:
        """Issue a bill, of 51.40 EUR unless said otherwise."""
        return self.ledger.issue(self.home, a_debt(**debt))

    def pay(self, *bills: UUID) -> Receipt:
        """Pay these bills, or a new one."""
        chosen = bills or (self.bill(),)
        return self.ledger.pay(PaymentOrder(self.subject, str(uuid4()), self.home, chosen, None))
