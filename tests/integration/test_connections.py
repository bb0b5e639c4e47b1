"""One connection per warm process, mended when it breaks: on a real Postgres."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg2
import pytest

from billing_app.adapters.connections import Database, describe
from billing_app.adapters.timeouts import Timeouts, timeouts_of
from billing_app.domain.errors import Unavailable
from tests.support.databases import LedgerDatabase
from tests.support.ledger import Ledger

ONE = "SELECT 1"
QUICK = Timeouts(statement=500, lock=2_000, idle_in_transaction=5_000)


class Secret:
    """The secret of the writer's role, and how often it was fetched anew."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = dict(fields)
        self.renewals = 0

    def get(self) -> Mapping[str, Any]:
        return self.fields

    def renew(self) -> None:
        self.renewals += 1


@pytest.fixture
def secret(database: LedgerDatabase) -> Secret:
    return Secret(database.secret("writer"))


@pytest.fixture
def connection(secret: Secret) -> Iterator[Database]:
    opened = Database(
        secret=secret.get,
        renew_secret=secret.renew,
        application_name="test",
        timeouts=QUICK,
    )
    yield opened
    opened.close()


def kill(ledger: Ledger, database: Database) -> None:
    """End the backend that serves this connection, as a failover would."""
    pid = database.value("SELECT pg_backend_pid()", {})
    with ledger.database.connect("admin").cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", (pid,))


def test_nothing_is_connected_before_the_first_statement(secret: Secret) -> None:
    secret.fields["port"] = 1
    Database(secret=secret.get, renew_secret=secret.renew, application_name="test").close()


def test_a_connection_that_was_cut_is_opened_again(connection: Database, ledger: Ledger) -> None:
    kill(ledger, connection)
    assert connection.value(ONE, {}) == 1


def test_a_payment_whose_connection_is_cut_takes_effect_once(
    connection: Database, ledger: Ledger
) -> None:
    """Cut while the payment waits for the apartment: it is rolled back, and asked again."""
    home = ledger.home()
    bill = ledger.bill(home)
    blocker = ledger.database.connect("owner")
    blocker.autocommit = False
    with blocker.cursor() as cursor:
        cursor.execute("SELECT 1 FROM billing.apartment_state FOR UPDATE")
    kill_soon = threading.Timer(0.2, _cut_waiting, [ledger, blocker])
    kill_soon.start()
    answer = connection.value(
        "SELECT api.pay(%(s)s, 'key', %(a)s, %(b)s::uuid[])",
        {"s": home.subject, "a": home.apartment, "b": [bill]},
    )
    kill_soon.join()
    again = ledger.pay(home, [bill], key="key")
    assert answer["status"] == "done"
    assert again == answer
    assert len(ledger.history(home)["events"]) == 1
    assert ledger.violations() == []


def _cut_waiting(ledger: Ledger, blocker: psycopg2.extensions.connection) -> None:
    with ledger.database.connect("admin").cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'test' AND wait_event_type = 'Lock'"
        )
    time.sleep(0.1)
    blocker.rollback()


def test_a_password_that_was_rotated_while_warm_is_fetched_again(
    connection: Database, secret: Secret, ledger: Ledger
) -> None:
    good = secret.fields["password"]
    secret.fields["password"] = "the old one"

    def renew() -> None:
        secret.renewals += 1
        secret.fields["password"] = good

    connection._renew_secret = renew
    assert connection.value(ONE, {}) == 1
    assert secret.renewals == 1


def test_a_password_that_stays_wrong_is_an_outage(connection: Database, secret: Secret) -> None:
    secret.fields["password"] = "wrong"
    with pytest.raises(Unavailable, match="OperationalError"):
        connection.value(ONE, {})


def test_a_database_that_is_away_is_an_outage_that_names_no_secret(secret: Secret) -> None:
    secret.fields["port"] = 1
    away = Database(secret=secret.get, renew_secret=secret.renew, application_name="test")
    with pytest.raises(Unavailable) as outage:
        away.value(ONE, {})
    assert str(outage.value) == "database: OperationalError"


def test_a_statement_that_takes_too_long_is_cancelled_as_an_outage(connection: Database) -> None:
    with pytest.raises(Unavailable, match="57014"):
        connection.value("SELECT pg_sleep(5)", {})
    assert connection.value(ONE, {}) == 1


@pytest.mark.parametrize("code", ["40001", "40P01", "55P03"])
def test_a_conflict_is_tried_again_until_it_passes(
    connection: Database, ledger: Ledger, code: str
) -> None:
    with ledger.database.connect("owner").cursor() as cursor:
        cursor.execute("CREATE SEQUENCE api.tries")
        cursor.execute(
            "CREATE FUNCTION api.conflict() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$"
            " BEGIN IF nextval('api.tries') < 3 THEN"
            f" RAISE EXCEPTION 'conflict' USING ERRCODE = '{code}'; END IF;"
            " RETURN currval('api.tries'); END $$"
        )
        cursor.execute("GRANT EXECUTE ON FUNCTION api.conflict() TO billing_writer")
    assert connection.value("SELECT api.conflict()", {}) == 3


def test_an_error_of_our_own_is_not_hidden_as_an_outage(connection: Database) -> None:
    with pytest.raises(psycopg2.errors.UndefinedFunction):
        connection.value("SELECT api.no_such_function()", {})
    assert connection.value(ONE, {}) == 1


def test_an_error_is_described_without_its_text() -> None:
    assert describe(psycopg2.OperationalError("password=secret")) == "database: OperationalError"


def test_a_connection_sets_its_timeouts_unless_a_pool_would_reject_them(
    connection: Database, secret: Secret
) -> None:
    shown = "SELECT current_setting('statement_timeout')"
    assert connection.value(shown, {}) == "500ms"
    secret.fields["pooled"] = "true"
    connection.close()
    assert connection.value(shown, {}) == "5s"


@pytest.mark.parametrize("role", ["writer", "reader", "operator"])
def test_a_pooled_session_is_as_bounded_as_a_direct_one(
    database: LedgerDatabase, role: str
) -> None:
    direct, pooled = (_bounds(database.secret(role) | extra) for extra in ({}, {"pooled": "true"}))
    wanted = timeouts_of(f"billing_{role}").settings()
    assert direct == pooled == {name: int(value[:-2]) for name, value in wanted.items()}


def _bounds(secret: Mapping[str, Any]) -> dict[str, int]:
    """Milliseconds of each timeout in a session that logs in with the secret."""
    opened = Database(secret=lambda: secret, renew_secret=lambda: None, application_name="test")
    statement = "SELECT name, setting::int FROM pg_settings WHERE name = ANY(%(names)s)"
    found = opened.rows(statement, {"names": list(timeouts_of("").settings())})
    opened.close()
    return dict(found)


def test_a_pooled_session_does_not_wait_long_for_a_lock(database: LedgerDatabase) -> None:
    """Another session holds what this one wants: it is told so, and is not kept waiting."""
    secret = database.secret("writer") | {"pooled": "true"}
    opened = Database(secret=lambda: secret, renew_secret=lambda: None, application_name="test")
    with database.connect("admin").cursor() as holder:
        holder.execute("SELECT pg_advisory_lock(4711)")
        with pytest.raises(Unavailable, match="LockNotAvailable"):
            opened.value("SELECT pg_advisory_xact_lock(4711)", {})
        holder.execute("SELECT pg_advisory_unlock(4711)")
    opened.close()
