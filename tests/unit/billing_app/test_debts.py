"""A resident looks at what an apartment owes."""

from __future__ import annotations

from contextlib import nullcontext as does_not_raise
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from billing_app.domain.bills import OpenDebts, Provider
from billing_app.domain.errors import Rejection
from billing_app.domain.parts import PART_MAX_BYTES, to_json
from billing_app.ports.ledger import PaymentOrder
from billing_app.use_cases.debts import show_debts
from tests.support.examples import a_debt
from tests.support.fakes import FakeCache, FakeClock, FakeLedger

NOON = datetime(2026, 2, 4, 12, tzinfo=UTC)


def shown(ledger: FakeLedger, subject: UUID, apartment: UUID) -> list[dict[str, object]]:
    return show_debts(
        ledger=ledger,
        cache=FakeCache(),
        clock=FakeClock(NOON),
        subject=subject,
        apartment_id=apartment,
    )


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


def test_the_debts_come_with_totals_by_utility_provider_and_period(ledger: FakeLedger) -> None:
    home = ledger.add_apartment()
    ada = ledger.add_resident("Ada", home)
    for month in (1, 2):
        ledger.issue(home, a_debt(month=month, amount_minor=1000))
    ledger.issue(home, a_debt(utility="water", provider=Provider("w", "W"), amount_minor=50))
    [part] = shown(ledger, ada, home)
    assert (part["total_minor"], part["currency"], part["version"]) == (2050, "EUR", 4)
    assert part["by_utility"] == [
        {"utility": "gas", "bills": 2, "total_minor": 2000, "currency": "EUR"},
        {"utility": "water", "bills": 1, "total_minor": 50, "currency": "EUR"},
    ]
    assert [group["total_minor"] for group in part["by_period"]] == [1050, 1000]  # type: ignore[attr-defined]
    assert part["by_provider"][0]["provider"] == {  # type: ignore[index]
        "provider_id": "north-gas",
        "name": "North Gas",
    }
    assert part["as_of"] == "2026-02-04T12:00:00.000000Z"
    assert part["debts"][0]["days_overdue"] == 7  # type: ignore[index]


def test_without_debts_there_is_a_total_of_zero(ledger: FakeLedger) -> None:
    home = ledger.add_apartment()
    [part] = shown(ledger, ledger.add_resident("Ada", home), home)
    assert (part["debts"], part["total_minor"], part["currency"]) == ([], 0, None)


def test_different_currencies_are_never_added(ledger: FakeLedger) -> None:
    home = ledger.add_apartment()
    ada = ledger.add_resident("Ada", home)
    ledger.issue(home, a_debt(currency="EUR", amount_minor=5))
    ledger.issue(home, a_debt(currency="JPY", amount_minor=700))
    [part] = shown(ledger, ada, home)
    assert (part["total_minor"], part["currency"]) == (None, None)
    assert {(g["currency"], g["total_minor"]) for g in part["by_currency"]} == {  # type: ignore[attr-defined]
        ("EUR", 5),
        ("JPY", 700),
    }


def test_an_apartment_of_somebody_else_reads_like_none(ledger: FakeLedger) -> None:
    home = ledger.add_apartment()
    ledger.add_resident("Ada", home)
    eve = ledger.add_resident("Eve")
    for apartment in (home, uuid4()):
        with pytest.raises(Rejection) as rejection:
            shown(ledger, eve, apartment)
        assert rejection.value.code == "apartment_not_found"


def test_many_debts_go_out_in_parts_that_each_fit_a_message(ledger: FakeLedger) -> None:
    home = ledger.add_apartment()
    ada = ledger.add_resident("Ada", home)
    wide = Provider("p", "Энергосбыт " * 20)
    issued = {ledger.issue(home, a_debt(provider=wide)) for _ in range(500)}
    parts = shown(ledger, ada, home)
    assert len(parts) > 1
    assert all(len(to_json(part)) <= PART_MAX_BYTES for part in parts)
    assert {UUID(d["bill_id"]) for part in parts for d in part["debts"]} == issued  # type: ignore[attr-defined]
    assert {part["total_minor"] for part in parts} == {500 * 5140}


def test_a_cached_list_is_shown_only_while_its_version_is_current(ledger: FakeLedger) -> None:
    cache, clock = FakeCache(), FakeClock(NOON)
    home = ledger.add_apartment()
    ada, bob = ledger.add_resident("Ada", home), ledger.add_resident("Bob", home)
    bill = ledger.issue(home, a_debt())

    def total(subject: UUID) -> object:
        [part] = show_debts(
            ledger=ledger, cache=cache, clock=clock, subject=subject, apartment_id=home
        )
        return part["total_minor"], part["debts"] and part["debts"][0]["days_overdue"]

    assert total(ada) == (5140, 7)
    clock.advance(timedelta(days=1))
    assert total(bob) == (5140, 8)
    old = dict(cache.entries)
    ledger.pay(PaymentOrder(ada, "k", home, (bill,), None))
    cache.lost = True
    cache.entries = old
    assert total(bob) == (0, [])


def test_a_cached_list_is_shown_to_nobody_who_may_not_see_it() -> None:
    ledger, cache = FakeLedger(), FakeCache()
    home = ledger.add_apartment()
    ada, eve = ledger.add_resident("Ada", home), ledger.add_resident("Eve")
    ledger.issue(home, a_debt())
    for subject, outcome in ((ada, does_not_raise()), (eve, pytest.raises(Rejection))):
        with outcome:
            show_debts(
                ledger=ledger,
                cache=cache,
                clock=FakeClock(NOON),
                subject=subject,
                apartment_id=home,
            )
    assert len(cache.entries) == 1


class MovingBooks(FakeLedger):
    """Books in which somebody pays right after the debts were read."""

    def __init__(self) -> None:
        super().__init__()
        self.next_order: PaymentOrder | None = None

    def open_debts(self, *, subject: UUID, apartment_id: UUID) -> OpenDebts | None:
        found = super().open_debts(subject=subject, apartment_id=apartment_id)
        order, self.next_order = self.next_order, None
        if order is not None:
            self.pay(order)
        return found


def test_debts_that_were_paid_while_they_were_read_are_not_shown_again() -> None:
    ledger, cache = MovingBooks(), FakeCache()
    home = ledger.add_apartment()
    ada = ledger.add_resident("Ada", home)
    bill = ledger.issue(home, a_debt())

    def total() -> object:
        [part] = show_debts(
            ledger=ledger, cache=cache, clock=FakeClock(NOON), subject=ada, apartment_id=home
        )
        return part["total_minor"]

    ledger.next_order = PaymentOrder(ada, "k", home, (bill,), None)
    assert (total(), total()) == (5140, 0)
