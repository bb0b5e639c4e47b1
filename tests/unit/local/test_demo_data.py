"""The demo has two years of bills, of which the newest are open."""

from __future__ import annotations

from datetime import date
from typing import Any

from tools.local.demo_data import (
    APARTMENTS,
    PROVIDERS,
    RESIDENTS,
    apartment_ids,
    bills_of,
    is_paid_by_now,
)

TODAY = date(2026, 3, 14)


def all_bills() -> list[dict[str, Any]]:
    return [bill for apartment in APARTMENTS for bill in bills_of(apartment, TODAY)]


def test_the_newest_bills_are_open_and_some_are_overdue() -> None:
    unpaid = [bill for bill in all_bills() if not is_paid_by_now(bill, TODAY)]
    assert {bill["period_from"] for bill in unpaid} == {"2025-12-01", "2026-01-01", "2026-02-01"}
    assert {bill["period_to"] for bill in unpaid} == {"2025-12-31", "2026-01-31", "2026-02-28"}
    overdue = [bill for bill in unpaid if date.fromisoformat(bill["due_on"]) < TODAY]
    assert 0 < len(overdue) < len(unpaid)


def test_residents_have_what_the_demo_is_to_show() -> None:
    homes = [set(apartment_ids(resident)) for resident in RESIDENTS]
    assert any(len(home) == 2 for home in homes), "somebody has two apartments"
    shared = [a & b for i, a in enumerate(homes) for b in homes[:i]]
    assert any(shared), "some apartment is shared"
    assert {p for apartment in APARTMENTS for p in apartment.providers.values()} == set(PROVIDERS)
