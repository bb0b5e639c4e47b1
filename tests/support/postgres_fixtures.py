"""Fixtures that give tests a real Postgres: an embedded one, or that of DATABASE_URL_TESTS.

They ignore DATABASE_URL on purpose: the tests create databases and set the passwords of the roles,
which other users of that server would notice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.databases import LedgerDatabase, Server
from tests.support.ledger import Ledger
from tools.local.postgres import EmbeddedPostgres


@contextmanager
def _embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    postgres = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), durable=False)
    try:
        postgres.start()
        yield Server(admin_url=postgres.superuser_url, owner_url=postgres.url)
    finally:
        postgres.destroy()


@contextmanager
def _given(url: str) -> Iterator[Server]:
    yield Server(admin_url=url, owner_url=url)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server with the migrated template; one per worker of a test run."""
    url = os.environ.get("DATABASE_URL_TESTS")
    with _given(url) if url else _embedded(tmp_path_factory) as server, server.template():
        yield server


@pytest.fixture
def database(postgres_server: Server) -> Iterator[LedgerDatabase]:
    """Give a database with an empty ledger."""
    with postgres_server.database() as database:
        yield database


@pytest.fixture
def ledger(database: LedgerDatabase) -> Ledger:
    """Give the api functions on the test's database."""
    return Ledger(database)
