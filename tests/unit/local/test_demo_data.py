"""The demo has two years of bills, of which the newest are open."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tools.local.demo_data import (
    APARTMENTS,
    PROVIDERS,
    RESIDENTS,
    apartment_ids,
    bills_of,
    is_paid_by_now,
    months_before,
)

TODAY = date(2026, 3, 14)


def all_bills() -> list[dict[str, Any]]:
    return [bill for apartment in APARTMENTS for bill in bills_of(apartment, TODAY)]


def test_months_are_the_twenty_four_complete_ones_before_today() -> None:
    months = months_before(TODAY)
    assert (months[0], months[-1], len(set(months))) == (date(2024, 3, 1), date(2026, 2, 1), 24)


@pytest.mark.parametrize("today", [date(2026, 3, 1), TODAY, date(2026, 3, 31), date(2028, 1, 2)])
def test_a_period_is_its_whole_month(today: date) -> None:
    for bill in bills_of(APARTMENTS[0], today):
        first, last = (date.fromisoformat(bill[key]) for key in ("period_from", "period_to"))
        assert first.day == 1
        assert (last.year, last.month) == (first.year, first.month)
        assert date.fromordinal(last.toordinal() + 1).day == 1


def test_the_newest_bills_are_open_and_some_are_overdue() -> None:
    unpaid = [bill for bill in all_bills() if not is_paid_by_now(bill, TODAY)]
    assert {bill["period_from"] for bill in unpaid} == {"2025-12-01", "2026-01-01", "2026-02-01"}
    overdue = [bill for bill in unpaid if date.fromisoformat(bill["due_on"]) < TODAY]
    assert 0 < len(overdue) < len(unpaid)


def test_residents_have_what_the_demo_is_to_show() -> None:
    homes = [set(apartment_ids(resident)) for resident in RESIDENTS]
    assert any(len(home) == 2 for home in homes), "somebody has two apartments"
    shared = [a & b for i, a in enumerate(homes) for b in homes[:i]]
    assert any(shared), "some apartment is shared"
    assert {p for apartment in APARTMENTS for p in apartment.providers.values()} == set(PROVIDERS)
