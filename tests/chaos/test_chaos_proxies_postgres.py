"""The Postgres proxy sees a payment's statement go and its answer come."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

from tests.support.databases import Server
from tools.chaos.proxies import PostgresProxy, StepEvent

PAY = "SELECT api.pay(%s)"


@pytest.fixture
def login(postgres_server: Server) -> Iterator[dict[str, Any]]:
    """Give a login to a database that has a function of the payment's name."""
    with postgres_server.database(migrated=False) as database:
        with database.connect("owner").cursor() as cursor:
            cursor.execute("CREATE SCHEMA api; CREATE TABLE paid (bill text)")
            cursor.execute(
                "CREATE FUNCTION api.pay(p_bill text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN"
                " IF p_bill = 'bad' THEN RAISE EXCEPTION 'bad'; END IF;"
                " INSERT INTO paid VALUES (p_bill); RETURN repeat(p_bill, 20000); END $$"
            )
        owner = database.owner
        yield {
            "host": owner.host,
            "port": owner.port,
            "user": owner.username,
            "password": owner.password,
            "dbname": owner.dbname,
        }


@pytest.fixture
def proxy(login: dict[str, Any]) -> Iterator[PostgresProxy]:
    with PostgresProxy(login["port"]) as proxy:
        yield proxy


def connect(login: dict[str, Any], port: int) -> Connection:
    connection: Connection = psycopg2.connect(**{**login, "port": port}, connect_timeout=5)
    connection.autocommit = True
    return connection


def paid(login: dict[str, Any]) -> int:
    connection = connect(login, login["port"])
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM paid")
            return int(cursor.fetchall()[0][0])
    finally:
        connection.close()


def pay(connection: Connection, bill: str = "b") -> str:
    with connection.cursor() as cursor:
        cursor.execute(PAY, [bill])
        return str(cursor.fetchall()[0][0])


def test_the_steps_of_a_payment_are_told_in_their_order_with_the_payer(
    proxy: PostgresProxy, login: dict[str, Any]
) -> None:
    seen: list[tuple[str, int | None, int]] = []

    def watch(moment: StepEvent) -> None:
        seen.append((moment.step, moment.pid, paid(login) if moment.step != "in_commit" else 0))

    connection = connect(login, proxy.port)
    with proxy.watching(watch):
        assert pay(connection) == "b" * 20000
    pay(connection)
    connection.close()
    me = os.getpid()
    assert seen == [("before_payment", me, 0), ("in_commit", me, 0), ("committed", me, 1)]


@pytest.mark.parametrize(("step", "count"), [("before_payment", 0), ("committed", 1)])
def test_a_line_cut_at_a_step_leaves_what_had_happened(
    proxy: PostgresProxy, login: dict[str, Any], step: str, count: int
) -> None:
    def cut(moment: StepEvent) -> None:
        if moment.step == step:
            moment.cut()

    connection = connect(login, proxy.port)
    with proxy.watching(cut), pytest.raises(psycopg2.OperationalError):
        pay(connection)
    assert paid(login) == count
    connection.close()


def test_a_statement_that_failed_was_not_committed(
    proxy: PostgresProxy, login: dict[str, Any]
) -> None:
    seen: list[str] = []
    connection = connect(login, proxy.port)
    with (
        proxy.watching(lambda moment: seen.append(moment.step)),
        pytest.raises(psycopg2.errors.RaiseException),
    ):
        pay(connection, "bad")
    assert seen == ["before_payment", "in_commit"]
    assert pay(connection).startswith("b")
    connection.close()


def test_other_statements_pass_unseen_in_any_size(
    proxy: PostgresProxy, login: dict[str, Any]
) -> None:
    seen: list[str] = []
    connection = connect(login, proxy.port)
    with proxy.watching(lambda moment: seen.append(moment.step)), connection.cursor() as cursor:
        cursor.execute("SELECT repeat('x', 3000000), %s", ["y" * 1_000_000])
        assert [len(value) for value in cursor.fetchall()[0]] == [3_000_000, 1_000_000]
    connection.close()
    assert seen == []
