"""The tests of a module share a database, in which each makes apartments of its own.

After every scenario the books must be right.
"""

from collections.abc import Iterator

import pytest

from tests.support.books import Books
from tests.support.databases import BooksDatabase, Server


@pytest.fixture(scope="module")
def database(postgres_server: Server) -> Iterator[BooksDatabase]:
    """Give the module's database."""
    with postgres_server.database() as database:
        yield database


@pytest.fixture(scope="module")
def books(database: BooksDatabase) -> Books:
    """Give the api functions on the module's database."""
    return Books(database)


@pytest.fixture(autouse=True)
def books_stay_right(request: pytest.FixtureRequest) -> Iterator[None]:
    """Ask the test's database, if it has one, for contradictions when the test is over."""
    if "database" not in request.fixturenames:
        yield
        return
    books: Books = request.getfixturevalue("books")
    yield
    assert books.violations() == []
