"""Real servers behind their proxies, for tests of proxies and faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.chaos.servers import Servers


@pytest.fixture(scope="session")
def started_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Give servers whose database has a function of the payment's name."""
    servers = Servers(tmp_path_factory.mktemp("servers"))
    try:
        servers.start()
        with servers.postgres.cursor() as cursor:
            cursor.execute("CREATE SCHEMA api; CREATE TABLE paid (bill text)")
            cursor.execute(
                "CREATE FUNCTION api.pay(p_bill text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN"
                " IF p_bill = 'bad' THEN RAISE EXCEPTION 'bad'; END IF;"
                " INSERT INTO paid VALUES (p_bill); RETURN repeat(p_bill, 20000); END $$"
            )
            cursor.execute("CREATE ROLE billing_writer LOGIN PASSWORD 'old'")
        yield servers
    finally:
        servers.stop()


@pytest.fixture
def servers(started_servers: Servers) -> Iterator[Servers]:
    """Give the servers whole and empty."""
    with started_servers.postgres.cursor() as cursor:
        cursor.execute("TRUNCATE paid")
    with started_servers.redis() as redis:
        redis.flushall()
    yield started_servers
    started_servers.restore()
