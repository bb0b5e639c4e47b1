"""One connection per warm process, mended when it breaks: on a real Postgres."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import psycopg2
import pytest

from billing_app.adapters.connections import Database
from billing_app.adapters.timeouts import Timeouts, timeouts_of
from billing_app.domain.errors import Rejection, Unavailable
from tests.support.api import wait_until
from tests.support.databases import LedgerDatabase
from tests.support.ledger import Ledger, query
from tests.support.sockets import listening

ONE = "SELECT 1"
QUICK = Timeouts(statement=500, lock=2_000, idle_in_transaction=5_000)
PATIENT = Timeouts(statement=30_000, lock=30_000, idle_in_transaction=30_000)


class Secret:
    """The secret of the writer's role, and how often it was fetched anew."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = dict(fields)
        self.renewals = 0

    def get(self) -> Mapping[str, Any]:
        return self.fields

    def renew(self) -> None:
        self.renewals += 1


Open = Callable[..., Database]


@pytest.fixture
def secret(database: LedgerDatabase) -> Secret:
    return Secret(database.secret("writer"))


@pytest.fixture
def open_with(secret: Secret) -> Iterator[Open]:
    """Open connections with the secret, and close them after the test."""
    opened: list[Database] = []

    def open_with(**options: Any) -> Database:
        usual = {"secret": secret.get, "renew_secret": secret.renew, "application_name": "test"}
        opened.append(Database(**{**usual, **options}))
        return opened[-1]

    yield open_with
    for one in opened:
        one.close()


@pytest.fixture
def connection(open_with: Open) -> Database:
    return open_with(timeouts=QUICK)


def kill(ledger: Ledger, database: Database) -> None:
    """End the backend that serves this connection, as a failover would."""
    pid = database.value("SELECT pg_backend_pid()", {})
    with ledger.database.connect("admin").cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", (pid,))


def test_a_connection_that_was_cut_is_opened_again(connection: Database, ledger: Ledger) -> None:
    kill(ledger, connection)
    assert connection.value(ONE, {}) == 1


def test_a_payment_whose_connection_is_cut_takes_effect_once(
    open_with: Open, ledger: Ledger
) -> None:
    """Cut while the payment waits for the apartment: it is rolled back, and asked again."""
    connection = open_with(timeouts=PATIENT)
    home = ledger.home()
    bill = ledger.bill(home)
    blocker = ledger.database.connect("owner")
    blocker.autocommit = False
    with blocker.cursor() as cursor:
        cursor.execute("SELECT 1 FROM billing.apartment_state FOR UPDATE")
    cutting = threading.Thread(target=_cut_waiting, args=[ledger, blocker])
    cutting.start()
    answer = connection.value(
        "SELECT api.pay(%(s)s, 'key', %(a)s, %(b)s::uuid[])",
        {"s": home.subject, "a": home.apartment, "b": [bill]},
    )
    cutting.join()
    again = ledger.pay(home, [bill], key="key")
    assert answer["status"] == "done"
    assert again == answer
    assert len(ledger.history(home)["events"]) == 1
    assert ledger.violations() == []


def _cut_waiting(ledger: Ledger, blocker: psycopg2.extensions.connection) -> None:
    """Cut the payment once it waits, and let it pass once it waits again."""
    waiting = """
        SELECT pid FROM pg_stat_activity
        WHERE application_name = 'test' AND wait_event_type = 'Lock'
            AND datname = current_database()
    """
    admin = ledger.database.connect("admin")
    try:
        [cut] = wait_until(lambda: query(admin, waiting), "the payment that waits")
        query(admin, "SELECT pg_terminate_backend(%s)", cut[0])
        wait_until(lambda: set(query(admin, waiting)) - {cut}, "the payment that waits again")
    finally:
        blocker.rollback()


def test_a_password_that_stays_wrong_is_an_outage_and_the_secret_is_asked_for_once(
    connection: Database, secret: Secret
) -> None:
    secret.fields["password"] = "wrong"
    for _ in range(2):
        with pytest.raises(Unavailable, match="OperationalError"):
            connection.value(ONE, {})
    assert secret.renewals == 1


def test_a_secret_is_fetched_again_after_a_while(secret: Secret, open_with: Open) -> None:
    times = iter(range(0, 1_000, 9))
    opened = open_with(now=lambda: next(times))
    secret.fields["password"] = "wrong"
    for _ in range(2):
        with pytest.raises(Unavailable):
            opened.value(ONE, {})
    assert 2 <= secret.renewals <= 4


# What RDS Proxy says: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.troubleshooting.html
@pytest.mark.parametrize(
    "text",
    [
        'password authentication failed for user "billing_writer"',
        "The password that was provided for the role billing_writer is wrong.",
        "This RDS proxy has no credentials for the role billing_writer.",
        "le mot de passe ne convient pas",
    ],
)
def test_whatever_a_server_says_to_an_old_password_the_secret_is_fetched_again(
    secret: Secret, open_with: Open, text: str
) -> None:
    good = dict(secret.fields)
    # https://www.postgresql.org/docs/current/protocol-message-formats.html
    fields = f"SFATAL\0C28P01\0M{text}\0\0".encode()
    with listening(b"E" + struct.pack(">i", len(fields) + 4) + fields) as rejecting:
        secret.fields.update(host="127.0.0.1", port=rejecting.port, sslmode="disable")
        opened = open_with(renew_secret=lambda: secret.fields.update(good))
        assert opened.value(ONE, {}) == 1


def test_a_session_that_only_reads_since_a_switchover_is_left_behind(connection: Database) -> None:
    pid = connection.value("SELECT pg_backend_pid()", {})
    connection.value("SELECT set_config('default_transaction_read_only', 'on', false)", {})
    assert connection.value("SELECT pg_backend_pid()", {}) != pid


def test_a_database_that_is_away_is_an_outage_that_names_no_secret(
    secret: Secret, connection: Database
) -> None:
    secret.fields["port"] = 1
    with pytest.raises(Unavailable) as outage:
        connection.value(ONE, {})
    assert str(outage.value) == "database: OperationalError"


def counting(ledger: Ledger, name: str, then: str) -> None:
    """Make a function that counts its calls, for whoever asks api.tries, and goes on as told."""
    with ledger.database.connect("owner").cursor() as cursor:
        cursor.execute("CREATE SEQUENCE api.tries")
        cursor.execute(
            f"CREATE FUNCTION api.{name}() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$"
            f" BEGIN PERFORM nextval('api.tries'); {then} RETURN currval('api.tries'); END $$"
        )
        cursor.execute(f"GRANT EXECUTE ON FUNCTION api.{name}() TO billing_writer")


def test_a_statement_that_takes_too_long_is_cancelled_as_an_outage_and_not_tried_again(
    connection: Database, ledger: Ledger
) -> None:
    counting(ledger, "slow", "PERFORM pg_sleep(5);")
    with pytest.raises(Unavailable, match="57014"):
        connection.value("SELECT api.slow()", {})
    with ledger.database.connect("owner").cursor() as cursor:
        cursor.execute("SELECT last_value FROM api.tries")
        assert cursor.fetchall() == [(1,)]
    assert connection.value(ONE, {}) == 1


@pytest.mark.parametrize("code", ["40001", "40P01", "55P03", "25006"])
def test_a_conflict_or_a_server_that_only_reads_is_tried_again_until_it_passes(
    connection: Database, ledger: Ledger, code: str
) -> None:
    raised = f"RAISE EXCEPTION 'conflict' USING ERRCODE = '{code}';"
    counting(ledger, "conflict", f"IF currval('api.tries') < 3 THEN {raised} END IF;")
    assert connection.value("SELECT api.conflict()", {}) == 3


def test_a_value_that_the_database_can_not_hold_is_rejected(connection: Database) -> None:
    with pytest.raises(Rejection, match="invalid_request"):
        connection.value("SELECT %(seq)s + 1", {"seq": 2**63 - 1})
    assert connection.value(ONE, {}) == 1


def test_an_error_of_our_own_is_not_hidden_as_an_outage(connection: Database) -> None:
    with pytest.raises(psycopg2.errors.UndefinedFunction):
        connection.value("SELECT api.no_such_function()", {})
    assert connection.value(ONE, {}) == 1


def test_a_connection_sets_its_timeouts_unless_a_pool_would_reject_them(
    connection: Database, secret: Secret
) -> None:
    shown = "SELECT current_setting('statement_timeout')"
    assert connection.value(shown, {}) == "500ms"
    secret.fields["pooled"] = "true"
    connection.close()
    assert connection.value(shown, {}) == "4s"


@pytest.mark.parametrize("role", ["writer", "reader", "operator"])
def test_a_pooled_session_is_as_bounded_as_a_direct_one(
    database: LedgerDatabase, open_with: Open, role: str
) -> None:
    direct, pooled = (
        _bounds(open_with(secret=(database.secret(role) | extra).copy))
        for extra in ({}, {"pooled": "true"})
    )
    wanted = timeouts_of(f"billing_{role}").settings()
    assert direct == pooled == {name: int(value[:-2]) for name, value in wanted.items()}


def _bounds(session: Database) -> dict[str, int]:
    """Return the milliseconds of each timeout of a session."""
    statement = "SELECT name, setting::int FROM pg_settings WHERE name = ANY(%(names)s)"
    return dict(session.rows(statement, {"names": list(timeouts_of("").settings())}))
