"""api.reconcile: payments, lines and bills per provider and day, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.databases import LedgerDatabase, Server
from tests.support.ledger import Home, Ledger

DAY = timedelta(days=1)


@pytest.fixture
def database(postgres_server: Server) -> Iterator[LedgerDatabase]:
    """Give each test a database of its own: these sums are over all apartments."""
    with postgres_server.database() as database:
        yield database


@pytest.fixture
def ledger(database: LedgerDatabase) -> Ledger:
    return Ledger(database)


def test_sums_are_by_provider_and_agree(ledger: Ledger, home: Home) -> None:
    ledger.provider("southwater", "South Water")
    gas = ledger.bills(home, 100, 200)
    water = ledger.bills(home, 30, provider_id="southwater", utility="water")
    ledger.pay(home, [*gas, *water])
    # From yesterday to tomorrow, so that midnight does no harm.
    today = datetime.now(UTC).date()
    rows = ledger.rows("operator", "reconcile", today - DAY, today + DAY)
    assert {row[0]: row[2:] for row in rows} == {
        "northgas": (300, 300, 300, 0, "EUR", True),
        "southwater": (30, 30, 30, 0, "EUR", True),
    }


@pytest.mark.parametrize(
    ("damage", "provider", "sums"),
    [
        ("UPDATE billing.payments SET total_minor = 301", "northgas", (301, 300, 300)),
        ("UPDATE billing.payment_lines SET amount_minor = 101 WHERE amount_minor = 100",
         "northgas", (300, 301, 300)),
        ("DELETE FROM billing.payment_lines WHERE amount_minor = 100", "northgas", (300, 200, 200)),
        ("DELETE FROM billing.payment_lines", "-", (300, 0, 0)),
        (("DELETE FROM billing.settled_bills WHERE bill_id IN"
         " (SELECT bill_id FROM billing.bills WHERE amount_minor = 100)"),
         "northgas", (300, 300, 200)),
    ],
    ids=["total", "line", "lost line", "all lines lost", "lost settlement"],
)  # fmt: skip
def test_a_ledger_that_does_not_agree_is_found(
    ledger: Ledger, home: Home, damage: str, provider: str, sums: tuple[int, int, int]
) -> None:
    ledger.pay(home, ledger.bills(home, 100, 200))
    question = "SELECT * FROM api.reconcile(current_date - 1, current_date + 1)"
    found = ledger.after_damage(damage, question)
    assert [(row[0], row[2:5], row[7]) for row in found] == [(provider, sums, False)]
