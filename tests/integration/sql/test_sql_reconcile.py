"""api.reconcile: payments, lines and bills per provider and day, and where they differ."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.support.databases import BooksDatabase, Server
from tests.support.ledger import Home, Ledger, query

Row = tuple[Any, ...]


@pytest.fixture
def database(postgres_server: Server) -> Iterator[BooksDatabase]:
    """Give each test a database of its own: these sums are over all apartments."""
    with postgres_server.database() as database:
        yield database


@pytest.fixture
def ledger(database: BooksDatabase) -> Ledger:
    return Ledger(database)


@pytest.fixture
def home(ledger: Ledger) -> Home:
    return ledger.home()


def today() -> date:
    return datetime.now(UTC).date()


def reconcile(ledger: Ledger) -> list[Row]:
    """Ask for yesterday to tomorrow, so that midnight does no harm."""
    day = timedelta(days=1)
    return ledger.rows("operator", "reconcile", today() - day, today() + day)


def test_an_empty_day_has_no_rows(ledger: Ledger, home: Home) -> None:
    ledger.bills(home, 100)
    assert reconcile(ledger) == []


def test_sums_are_by_provider_and_agree(ledger: Ledger, home: Home) -> None:
    ledger.provider("southwater", "South Water")
    gas = ledger.bills(home, 100, 200)
    water = ledger.bills(home, 30, provider_id="southwater", utility="water")
    ledger.pay(home, [*gas, *water])
    found = {row[0]: row[2:] for row in reconcile(ledger)}
    assert found == {
        "northgas": (300, 300, 300, 0, "EUR", True),
        "southwater": (30, 30, 30, 0, "EUR", True),
    }


def test_days_outside_are_left_out(ledger: Ledger, home: Home) -> None:
    ledger.pay(home, ledger.bills(home, 100))
    past = today() - timedelta(days=10)
    assert ledger.rows("operator", "reconcile", past, past + timedelta(days=5)) == []


def test_both_days_are_included(ledger: Ledger, home: Home) -> None:
    settled_at = ledger.pay(home, ledger.bills(home, 100))["data"]["settled_at"]
    day = date.fromisoformat(settled_at[:10])
    assert [row[1] for row in ledger.rows("operator", "reconcile", day, day)] == [day]


def test_currencies_are_apart(ledger: Ledger, home: Home) -> None:
    for currency in ("EUR", "USD"):
        ledger.pay(home, [ledger.bill(home, currency=currency)])
    assert [(row[6], row[7]) for row in reconcile(ledger)] == [("EUR", True), ("USD", True)]


def test_a_reversal_is_shown_and_the_day_still_agrees(ledger: Ledger, home: Home) -> None:
    bills = ledger.bills(home, 100, 200)
    ledger.reverse(ledger.pay(home, bills)["data"]["payment_id"])
    ledger.pay(home, bills[:1])
    assert [row[2:] for row in reconcile(ledger)] == [(400, 400, 400, 300, "EUR", True)]


@pytest.mark.parametrize(
    ("planted", "sums"),
    [
        ("UPDATE billing.payments SET total_minor = 301", (301, 300, 300)),
        ("UPDATE billing.payment_lines SET amount_minor = 101 WHERE amount_minor = 100",
         (300, 301, 300)),
        ("DELETE FROM billing.payment_lines WHERE amount_minor = 100", (300, 200, 200)),
        ("DELETE FROM billing.settled_bills WHERE bill_id IN"
         " (SELECT bill_id FROM billing.bills WHERE amount_minor = 100)", (300, 300, 200)),
    ],
    ids=["total", "line", "lost line", "lost settlement"],
)  # fmt: skip
def test_books_that_differ_are_found(
    ledger: Ledger, home: Home, planted: str, sums: tuple[int, int, int]
) -> None:
    ledger.pay(home, ledger.bills(home, 100, 200))
    admin = ledger.connection("admin")
    query(admin, "BEGIN; SET LOCAL session_replication_role = replica")
    try:
        query(admin, planted)
        found = query(admin, "SELECT * FROM api.reconcile(current_date - 1, current_date + 1)")
    finally:
        query(admin, "ROLLBACK")
    assert [(row[2:5], row[7]) for row in found] == [(sums, False)]


def test_a_payment_without_lines_is_found(ledger: Ledger, home: Home) -> None:
    ledger.pay(home, ledger.bills(home, 100))
    admin = ledger.connection("admin")
    query(admin, "BEGIN; SET LOCAL session_replication_role = replica")
    try:
        query(admin, "DELETE FROM billing.payment_lines")
        found = query(admin, "SELECT * FROM api.reconcile(current_date - 1, current_date + 1)")
    finally:
        query(admin, "ROLLBACK")
    assert [(row[0], row[2:5], row[7]) for row in found] == [("-", (100, 0, 0), False)]
