"""The tests of a module share a database, in which each makes apartments of its own.

After every scenario the books must be right.
"""

from collections.abc import Iterator

import pytest

from tests.support.databases import BooksDatabase, Server
from tests.support.ledger import Ledger


@pytest.fixture(scope="module")
def database(postgres_server: Server) -> Iterator[BooksDatabase]:
    """Give the module's database."""
    with postgres_server.database() as database:
        yield database


@pytest.fixture(scope="module")
def ledger(database: BooksDatabase) -> Ledger:
    """Give the api functions on the module's database."""
    return Ledger(database)


@pytest.fixture(autouse=True)
def books_stay_right(request: pytest.FixtureRequest) -> Iterator[None]:
    """Ask the test's database, if it has one, for contradictions when the test is over."""
    if "database" not in request.fixturenames:
        yield
        return
    ledger: Ledger = request.getfixturevalue("ledger")
    yield
    assert ledger.violations() == []
