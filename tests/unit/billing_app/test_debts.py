"""A resident looks at what an apartment owes."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from billing_app.domain.bills import Provider, Total
from billing_app.domain.errors import Rejection
from billing_app.use_cases.debts import Debts, show_debts
from tests.support.examples import NORTH_GAS, Resident
from tests.support.fakes import FakeClock

NOON = datetime(2026, 2, 4, 12, tzinfo=UTC)


def shown(ada: Resident, subject: UUID | None = None, apartment: UUID | None = None) -> Debts:
    return show_debts(
        reader=ada.ledger,
        clock=FakeClock(NOON),
        subject=subject or ada.subject,
        apartment_id=apartment or ada.home,
    )


def test_the_debts_come_with_totals_by_utility_provider_period_and_currency() -> None:
    ada, water = Resident(), Provider("w", "W")
    for month in (1, 2):
        ada.bill(month=month, amount_minor=1000)
    ada.bill(utility="water", provider=water, amount_minor=50)
    found = shown(ada)
    assert (found.version, found.as_of, len(found.debts)) == (4, NOON, 3)
    assert found.by_utility == (Total("gas", 2, 2000, "EUR"), Total("water", 1, 50, "EUR"))
    assert found.by_provider == (Total(NORTH_GAS, 2, 2000, "EUR"), Total(water, 1, 50, "EUR"))
    assert [total.total_minor for total in found.by_period] == [1050, 1000]
    assert found.by_currency == (Total(None, 3, 2050, "EUR"),)


def test_an_apartment_of_somebody_else_reads_like_none() -> None:
    ada = Resident()
    eve = ada.ledger.add_resident("Eve")
    for apartment in (ada.home, uuid4()):
        with pytest.raises(Rejection, match="apartment_not_found"):
            shown(ada, eve, apartment)
