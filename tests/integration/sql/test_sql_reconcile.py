"""api.reconcile: payments, lines and bills per provider and day, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.databases import LedgerDatabase, Server
from tests.support.ledger import Home, Ledger


@pytest.fixture
def database(postgres_server: Server) -> Iterator[LedgerDatabase]:
    """Give each test a database of its own: these sums are over all apartments."""
    with postgres_server.database() as database:
        yield database


@pytest.fixture
def ledger(database: LedgerDatabase) -> Ledger:
    return Ledger(database)


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
