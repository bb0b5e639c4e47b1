"""A resident of the ledger in memory."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from billing_app.domain.bills import Receipt
from billing_app.ports.ledger import PaymentOrder
from tests.support.bills import a_debt
from tests.support.fake_ledger import FakeLedger
from tests.support.fakes import FakeDependencies


class Resident:
    """Ada, who lives in an apartment of a ledger in memory."""

    def __init__(self, ledger: FakeLedger | None = None) -> None:
        self.ledger = ledger or FakeLedger()
        self.home = self.ledger.new_apartment()
        self.subject = self.ledger.new_resident("Ada", self.home)
        self.needs = FakeDependencies(self.ledger)

    def bill(self, **debt: Any) -> UUID:
        """Issue a bill, of 51.40 EUR unless said otherwise."""
        return self.ledger.issue(self.home, a_debt(**debt))

    def pay(self, *bills: UUID) -> Receipt:
        """Pay these bills, or a new one."""
        chosen = bills or (self.bill(),)
        return self.ledger.pay(PaymentOrder(self.subject, str(uuid4()), self.home, chosen, None))
