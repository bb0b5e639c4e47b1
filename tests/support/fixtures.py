"""Real servers for tests: Postgres, Redis, AWS by moto, and the whole service.

The database is an embedded one, or that of DATABASE_URL_TESTS. DATABASE_URL is ignored on purpose:
the tests create databases and set the passwords of the roles, which other users of that server
would notice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from moto import mock_aws

from tests.support.databases import LedgerDatabase, Server
from tests.support.ledger import Ledger
from tools.local.postgres import EmbeddedPostgres
from tools.local.provision import cache_secret
from tools.local.redis import EmbeddedRedis
from tools.local.stack import Stack


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let clients of boto3 talk to an AWS of this test's own."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture(scope="session")
def redis_secret(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Any]]:
    """Start a Redis-protocol server, one per worker, and return the secret that leads to it."""
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    try:
        yield cache_secret(server.start())
    finally:
        server.stop()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give the whole service, started once for the test run and ended after it."""
    stack = Stack(tmp_path_factory.mktemp("stack") / "state")
    stack.start()
    try:
        yield stack
    finally:
        stack.stop()


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
