"""A ledger as residents and operators use it: the fake, or Postgres."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

from billing_app.adapters.ledger import PostgresLedger
from billing_app.adapters.operator_ledger import PostgresOperatorLedger
from billing_app.domain.bill_lines import BillLine
from billing_app.domain.bills import Debt, Receipt
from billing_app.domain.errors import Rejection
from billing_app.ports.ledger import PaymentOrder
from billing_app.ports.operator_ledger import BillBatch, LineResult, OperatorLedger
from tests.support.bills import as_line
from tests.support.databases import LedgerDatabase
from tests.support.fake_ledger import FakeLedger

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class Setup:
    """Both ports of one ledger, its clock, and how tests fill it."""

    ledger: PostgresLedger | FakeLedger
    operators: OperatorLedger
    clock: Callable[[], datetime]
    owner: Callable[[], Connection] | None = None

    def set_time_zone(self, zone: str) -> None:
        if isinstance(self.ledger, FakeLedger):
            self.ledger.set_time_zone(zone)
        else:
            self.as_owner("SELECT billing.set_time_zone(%(zone)s)", {"zone": zone})

    def as_owner(self, statement: str, parameters: dict[str, Any]) -> None:
        """Run statements in one transaction on the real ledger."""
        assert self.owner is not None
        with closing(self.owner()) as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)

    def apartment(self) -> UUID:
        apartment = uuid4()
        self.operators.add_apartment(apartment_id=apartment, address="Main street 1")
        return apartment

    def resident(self, *apartments: UUID) -> UUID:
        subject = uuid4()
        self.operators.add_resident(subject=subject, name="Ольга")
        for apartment in apartments:
            self.operators.grant_residency(subject=subject, apartment_id=apartment, since=LONG_AGO)
        return subject

    def home(self) -> tuple[UUID, UUID]:
        apartment = self.apartment()
        return self.resident(apartment), apartment

    def imported(self, *lines: BillLine, **changes: Any) -> list[LineResult]:
        """Import lines as a file of its own."""
        batch = BillBatch(uuid4(), "bills.csv", uuid4().hex * 2, dry_run=False, lines=lines)
        return self.operators.issue_bills(batch=replace(batch, **changes))

    def issue(self, apartment: UUID, debt: Debt) -> UUID:
        provider = debt.provider
        self.operators.add_provider(provider_id=provider.provider_id, name=provider.name)
        line = as_line(debt, apartment_id=apartment)
        [result] = self.imported(line, allow_duplicates=True)
        assert result.bill_id is not None
        return result.bill_id

    def pay(
        self, who: UUID, where: UUID, *bills: UUID, key: str = "", total: Any = None, **more: Any
    ) -> Receipt:
        order = PaymentOrder(who, key or str(uuid4()), where, bills, total, **more)
        return self.ledger.pay(order)


@pytest.fixture(params=["fake", "postgres"])
def setup(request: pytest.FixtureRequest) -> Setup:
    if request.param == "fake":
        fake = FakeLedger()
        return Setup(fake, fake, fake.clock)
    database: LedgerDatabase = request.getfixturevalue("database")
    return Setup(
        PostgresLedger(database.adapters("writer")),
        PostgresOperatorLedger(database.adapters("operator")),
        lambda: datetime.now(UTC),
        lambda: database.connect("owner"),
    )


def rejection(act: Callable[..., Any], *arguments: Any, **more: Any) -> Rejection:
    """Return why an act is rejected."""
    with pytest.raises(Rejection) as caught:
        act(*arguments, **more)
    return caught.value
