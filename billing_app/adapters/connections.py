"""One Postgres connection per warm process, replaced when it breaks.

Every statement is one function of the schema `api`: one round trip, one transaction. All of them
may be repeated (payments by their key), so a connection that is lost in COMMIT, when nobody knows
what happened, is answered by asking again with the same arguments.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg2
from psycopg2 import errors
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class
from psycopg2.extras import register_uuid
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_not_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from billing_app.adapters.deadline import Deadline
from billing_app.adapters.timeouts import Timeouts, timeouts_of
from billing_app.domain.errors import Rejection, TimedOut, Unavailable

RDS_CA_BUNDLE = Path(__file__).with_name("rds-ca-bundle.pem")
CONNECT_TIMEOUT_SECONDS = 2
# The server ends a statement; if it vanished, the connection ends so much later.
VANISHED_MILLISECONDS = 1_000
_ATTEMPTS = 3
# How often at most a failed connect fetches the secret anew.
RENEWAL_SECONDS = 10.0

# Conflicts with another transaction: ours was rolled back whole, so it runs again.
# https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
_CONFLICTS = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)
# The connection is gone, goes, or leads to a server that only reads since a failover: reconnect.
_BROKEN = (psycopg2.OperationalError, psycopg2.InterfaceError, errors.ReadOnlySqlTransaction)

Row = tuple[Any, ...]
FetchSecret = Callable[[], Mapping[str, Any]]


class Database:
    """Runs statements on a connection that is opened on first use.

    `secret` returns the connection's fields (`username`, `password`, `host`, `port`, `dbname`,
    optional `sslmode` and `pooled`); `renew_secret` is called when a connect fails, before one more
    try: the password may have been rotated while this process was warm. Statements end after
    `timeouts`, by default those of the role that logs in; one that did is not tried again. Nothing
    is begun that might end after the `deadline`.
    """

    def __init__(
        self,
        *,
        secret: FetchSecret,
        renew_secret: Callable[[], None],
        application_name: str,
        timeouts: Timeouts | None = None,
        deadline: Deadline | None = None,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._secret = secret
        self._renew_secret = renew_secret
        self._application_name = application_name
        self._timeouts = timeouts
        self._deadline = deadline or Deadline()
        self._longest_seconds = 0.0
        self._now = now
        self._renewable_at = now()
        self._connection: Connection | None = None

    def value(self, statement: str, parameters: Mapping[str, Any]) -> Any:
        """Return the one value of the one row that the statement gives.

        Raises:
            Rejection: `invalid_request`, a parameter is none that the database can hold.
            TimedOut: the statement took longer than it may.
            Unavailable: the database does not answer; what happened is not known.
        """
        return self.rows(statement, parameters)[0][0]

    def rows(self, statement: str, parameters: Mapping[str, Any]) -> Sequence[Row]:
        """Return all rows of the statement; raises like `value`."""
        try:
            return self._retrying()(self._run, statement, parameters)
        except psycopg2.DataError as error:
            # It would be the same each time, and end among the dead letters.
            raise Rejection("invalid_request") from error
        except errors.QueryCanceled as error:
            self.close()
            raise TimedOut(describe(error)) from error
        except (*_BROKEN, *_CONFLICTS) as error:
            self.close()
            raise Unavailable(describe(error)) from error

    def close(self) -> None:
        """Close the connection; the next statement opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg2.Error):
                connection.close()

    def _retrying(self) -> Retrying:
        return Retrying(
            # QueryCanceled is an OperationalError, but asking again would only add to the load.
            retry=retry_if_exception_type((*_BROKEN, *_CONFLICTS))
            & retry_if_not_exception_type(errors.QueryCanceled),
            wait=wait_random_exponential(multiplier=0.05, max=0.5),
            stop=stop_after_attempt(_ATTEMPTS),
            before_sleep=self._before_retry,
            reraise=True,
        )

    def _before_retry(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _BROKEN) and not isinstance(error, _CONFLICTS):
            self.close()

    def _run(self, statement: str, parameters: Mapping[str, Any]) -> Sequence[Row]:
        with self._open().cursor() as cursor:
            self._deadline.require(self._longest_seconds)
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed or _only_reads(self._connection):
            self.close()
            self._connection = self._connect_with_fresh_secret()
        return self._connection

    def _connect_with_fresh_secret(self) -> Connection:
        """Connect; whatever the reason of a failure, the secret may be old.

        Postgres and RDS Proxy reject a password in words of their own, which may be translated, and
        psycopg2 gives no SQLSTATE for a connection that never came about.
        """
        secret = dict(self._secret())
        try:
            return self._connect(secret)
        except psycopg2.OperationalError:
            if self._now() < self._renewable_at or self._renewed() == secret:
                raise
        return self._connect(self._secret())

    def _renewed(self) -> Mapping[str, Any]:
        self._renewable_at = self._now() + RENEWAL_SECONDS
        self._renew_secret()
        return dict(self._secret())

    def _connect(self, secret: Mapping[str, Any]) -> Connection:
        self._deadline.require(CONNECT_TIMEOUT_SECONDS)
        timeouts = self._timeouts or timeouts_of(secret["username"])
        vanished_after = timeouts.statement + VANISHED_MILLISECONDS
        self._longest_seconds = vanished_after / 1_000
        connection: Connection = psycopg2.connect(
            host=secret["host"],
            port=secret["port"],
            dbname=secret["dbname"],
            user=secret["username"],
            password=secret["password"],
            **tls_arguments(secret),
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            application_name=self._application_name,
            # Without these a server that vanished is noticed only by the kernel, minutes later.
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=2,
            tcp_user_timeout=vanished_after,
            options="" if is_pooled(secret) else _options(timeouts),
        )
        connection.autocommit = True
        # The stubs leave this function without types.
        register_uuid(conn_or_curs=connection)  # type: ignore[no-untyped-call]  # its stub
        return connection


def _options(timeouts: Timeouts) -> str:
    """Ask for timeouts; behind a pool those of the role must do, which are the same.

    RDS Proxy rejects a connection that asks for settings:
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.howitworks.html
    """
    return " ".join(f"-c {name}={value}" for name, value in timeouts.settings().items())


def is_pooled(secret: Mapping[str, Any]) -> bool:
    """Tell whether a pool such as RDS Proxy stands between us and the server."""
    return str(secret.get("pooled", "")).lower() == "true"


def tls_arguments(secret: Mapping[str, Any]) -> dict[str, Any]:
    """Return how to connect: by default only to a server that proves its name to the RDS CAs."""
    return {"sslmode": secret.get("sslmode", "verify-full"), "sslrootcert": str(RDS_CA_BUNDLE)}


def _only_reads(connection: Connection) -> bool:
    """Tell whether the server has said that it is a standby or was made read-only by a switchover.

    It says so without being asked: these settings are reported whenever they change.
    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-ASYNC
    """
    reported = ("in_hot_standby", "default_transaction_read_only")
    return any(connection.info.parameter_status(name) == "on" for name in reported)


def describe(error: psycopg2.Error) -> str:
    """Name an error for the log by class and SQLSTATE; its text may quote values."""
    return f"database: {type(error).__name__} {error.pgcode or ''}".strip()
