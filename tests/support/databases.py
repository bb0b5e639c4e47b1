"""Throw-away databases with an empty ledger, on a real Postgres."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from urllib.parse import unquote, urlsplit

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class
from psycopg2.extras import register_uuid

from billing_app.adapters.connections import Database
from billing_app.adapters.migrations import migrate

ROLES = ("writer", "reader", "operator")
# The roles belong to the whole server, so that workers of one test run share their password.
ROLE_PASSWORD = "only for tests: @/%"
# A test on a busy machine waits longer than a resident should.
_PATIENCE = "-c statement_timeout=60s -c lock_timeout=30s"


@dataclass(frozen=True)
class Login:
    """Where a server is and who logs in there."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    dbname: str

    @classmethod
    def from_url(cls, url: str) -> Login:
        """Parse postgresql://user:password@host:port/database."""
        parts = urlsplit(url)
        return cls(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 5432,
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            dbname=parts.path.removeprefix("/"),
        )

    def secret(self) -> dict[str, object]:
        """Return the login as the service's database secret holds it."""
        return {**asdict(self), "sslmode": "prefer"}

    def connect(self) -> Connection:
        """Open a connection in autocommit mode that knows UUIDs."""
        connection: Connection = psycopg2.connect(
            host=self.host,
            port=self.port,
            user=self.username,
            password=self.password,
            dbname=self.dbname,
            options=_PATIENCE,
        )
        connection.autocommit = True
        register_uuid(conn_or_curs=connection)  # type: ignore[no-untyped-call]  # its stub
        return connection


@dataclass
class LedgerDatabase:
    """One database of a test. Its connections are closed when the test is over."""

    admin: Login
    owner: Login
    connections: list[Connection | Database] = field(default_factory=list)

    def login(self, role: str) -> Login:
        """Return the login of `admin`, `owner`, `writer`, `reader` or `operator`.

        `admin` is the server's superuser, where the tests bring their own server.
        """
        if role == "admin":
            return replace(self.admin, dbname=self.owner.dbname)
        if role == "owner":
            return self.owner
        return replace(self.owner, username=f"billing_{role}", password=ROLE_PASSWORD)

    def secret(self, role: str) -> dict[str, object]:
        """Return the database secret of a role, as Secrets Manager would hold it."""
        return self.login(role).secret()

    def connect(self, role: str) -> Connection:
        """Open a connection of a role, in autocommit mode."""
        connection = self.login(role).connect()
        self.connections.append(connection)
        return connection

    def adapters(self, role: str) -> Database:
        """Return the connection that the adapters have in a function of this role."""
        connection = Database(
            secret=lambda: self.secret(role),
            renew_secret=lambda: None,
            application_name="test",
        )
        self.connections.append(connection)
        return connection

    def close(self) -> None:
        """Close all connections that were made here."""
        for connection in self.connections:
            connection.close()


class Server:
    """A Postgres server, and on it a template with the migrated ledger.

    `admin_url` may create databases; `owner_url` owns and migrates them.
    """

    def __init__(self, *, admin_url: str, owner_url: str) -> None:
        self._admin = Login.from_url(admin_url)
        self._owner = Login.from_url(owner_url)
        self._prefix = f"billing_test_{os.getpid()}"
        self._template = f"{self._prefix}_template"
        self._numbers = itertools.count(1)

    @contextmanager
    def template(self) -> Iterator[None]:
        """Keep the migrated database that the tests' databases are copies of."""
        self._create(self._template, like="template1")
        try:
            self._migrate()
            yield
        finally:
            self._drop(self._template)

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[LedgerDatabase]:
        """Give a fresh database, dropped in the end."""
        name = f"{self._prefix}_{next(self._numbers)}"
        self._create(name, like=self._template if migrated else "template1")
        database = LedgerDatabase(admin=self._admin, owner=self._owner_of(name))
        try:
            yield database
        finally:
            database.close()
            self._drop(name)

    def _owner_of(self, name: str) -> Login:
        return replace(self._owner, dbname=name)

    def _migrate(self) -> None:
        # Roles belong to the server: two workers that alter one at once would collide.
        with self._cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended('billing tests', 0))")
            migrate(
                secret=self._owner_of(self._template).secret(),
                role_passwords={f"billing_{role}": ROLE_PASSWORD for role in ROLES},
            )

    def _create(self, name: str, *, like: str) -> None:
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY")
        names = (name, self._owner.username, like)
        with self._cursor() as cursor:
            cursor.execute(statement.format(*map(sql.Identifier, names)))

    def _drop(self, name: str) -> None:
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        with self._cursor() as cursor:
            cursor.execute(statement.format(sql.Identifier(name)))

    @contextmanager
    def _cursor(self) -> Iterator[psycopg2.extensions.cursor]:
        with closing(self._admin.connect()) as connection, connection.cursor() as cursor:
            yield cursor
