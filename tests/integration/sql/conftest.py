"""The tests of a module share a database, in which each makes apartments of its own.

After every test the ledger must be consistent.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.databases import LedgerDatabase, Server
from tests.support.ledger import Home, Ledger


@pytest.fixture(scope="module")
def database(postgres_server: Server) -> Iterator[LedgerDatabase]:
    with postgres_server.database() as database:
        yield database


@pytest.fixture(scope="module")
def ledger(database: LedgerDatabase) -> Ledger:
    return Ledger(database)


@pytest.fixture
def home(ledger: Ledger) -> Home:
    return ledger.home()


@pytest.fixture(autouse=True)
def ledger_stays_consistent(request: pytest.FixtureRequest) -> Iterator[None]:
    """Look for contradictions after the test, if it has a database."""
    ledger = "database" in request.fixturenames and request.getfixturevalue("ledger")
    yield
    assert not ledger or ledger.violations() == []
