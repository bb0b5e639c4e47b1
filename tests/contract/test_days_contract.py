"""Days are those of the deployment's time zone, in SQL and in the functions alike."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from billing_app.adapters.migrations import MigrationError, migrate
from billing_app.domain.instants import parse_instant
from billing_app.ports.clock import CalendarDay
from billing_app.use_cases.debts import show_debts
from chalicelib.replies import debts_parts
from tests.contract.conftest import Setup
from tests.support.bills import a_debt
from tests.support.databases import LedgerDatabase
from tests.support.ledger import Ledger, query, value

# A zone, an instant, and the day that it is there: on both sides of Greenwich, on both sides of
# midnight, and around changes of the clock.
DAYS = [
    ("UTC", "2026-11-15T23:59:59.999999Z", "2026-11-15"),
    ("America/Los_Angeles", "2026-11-16T03:00:00Z", "2026-11-15"),
    ("America/Los_Angeles", "2026-11-16T08:00:00Z", "2026-11-16"),
    ("America/Los_Angeles", "2026-07-16T07:00:00Z", "2026-07-16"),
    ("Pacific/Auckland", "2026-11-15T18:00:00Z", "2026-11-16"),
    ("Pacific/Auckland", "2026-07-15T11:59:59Z", "2026-07-15"),
    ("Asia/Kathmandu", "2026-11-14T18:15:00Z", "2026-11-15"),
]


@pytest.mark.parametrize(("zone", "instant", "day"), DAYS)
def test_a_bill_is_overdue_from_the_day_after_it_was_due_where_the_deployment_is(
    setup: Setup, zone: str, instant: str, day: str
) -> None:
    setup.set_time_zone(zone)
    ada, home = setup.home()
    setup.issue(home, a_debt(due_on=date(2026, 7, 15)))
    setup.issue(home, a_debt(due_on=date(2026, 11, 15)))
    shown = show_debts(
        reader=setup.ledger,
        clock=lambda: parse_instant(instant),
        calendar=setup.ledger.day_of,
        subject=ada,
        apartment_id=home,
    )
    [part] = map(json.loads, debts_parts(shown))
    assert (part["today"], part["time_zone"]) == (day, zone)
    late = [date.fromisoformat(day) - date.fromisoformat(one["due_on"]) for one in part["debts"]]
    assert [one["days_overdue"] for one in part["debts"]] == [max(0, one.days) for one in late]


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("UTC", "2026-11-15", "2026-11-15T00:00:00Z"),
        ("America/Los_Angeles", "2026-11-01", "2026-11-01T07:00:00Z"),
        ("America/Los_Angeles", "2026-11-02", "2026-11-02T08:00:00Z"),
        # The clock jumps from midnight to one o'clock.
        ("America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z"),
    ],
)
def test_a_day_begins_at_its_first_instant(setup: Setup, zone: str, day: str, begins: str) -> None:
    setup.set_time_zone(zone)
    found = setup.operators.day_begins(date.fromisoformat(day))
    assert found == parse_instant(begins)
    assert setup.operators.day_of(found) == CalendarDay(date.fromisoformat(day), zone)


@pytest.mark.parametrize(
    ("zone", "instant", "day", "year"),
    [
        ("America/Los_Angeles", "2027-01-01T03:00:00Z", "2026-12-31", "2026"),
        ("Pacific/Auckland", "2026-12-31T18:00:00Z", "2027-01-01", "2027"),
    ],
)
def test_a_payment_is_reconciled_on_its_day_and_its_receipt_has_the_year_of_that(
    ledger: Ledger, zone: str, instant: str, day: str, year: str
) -> None:
    owner, home = ledger.connection("owner"), ledger.home()
    query(owner, "SELECT billing.set_time_zone(%s)", zone)
    payment = ledger.pay(home, [ledger.bill(home)])["data"]["payment_id"]
    ledger.reverse(payment)
    settled = (
        f"UPDATE billing.payments SET settled_at = '{instant}';"
        f" UPDATE billing.reversals SET reversed_at = '{instant}'"
    )
    question = f"SELECT day::text, lines_minor, reversed_minor FROM api.reconcile('{day}', '{day}')"
    assert ledger.after_damage(settled, question) == [(day, 5140, 5140)]
    assert value(owner, "SELECT billing.next_receipt_number(%s)", instant).startswith(f"R-{year}-")


def test_the_migration_sets_the_zone_keeps_it_and_refuses_what_is_none(
    database: LedgerDatabase,
) -> None:
    def migrated(time_zone: str | None) -> Any:
        migrate(secret=database.secret("owner"), role_passwords={}, time_zone=time_zone)
        return value(database.connect("reader"), "SELECT time_zone FROM api.day_of(now())")

    assert [migrated(one) for one in (None, "Europe/Kyiv", None)] == [
        *("UTC", "Europe/Kyiv", "Europe/Kyiv")
    ]
    for wrong in ("Europe/Nowhere", "Kyiv+3"):
        with pytest.raises(MigrationError, match="not a time zone"):
            migrated(wrong)
    assert migrated(None) == "Europe/Kyiv"
