"""Brings a database to the schema of this version: numbered migrations, functions, views, grants.

Numbered migrations run once, each in its own transaction, by yoyo. Functions, views and grants are
made anew every time, all in one transaction, so that a database never has half of a version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import errors, sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class
from psycopg2.extensions import encrypt_password
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlBackend
from yoyo.connections import DatabaseURI
from yoyo.exceptions import BadMigration
from yoyo.migrations import default_migration_table

from billing_app.adapters.connections import tls_arguments
from billing_app.adapters.timeouts import timeouts_of

# Beside billing_app in a checkout and in the package of the functions alike.
SQL_FOLDER = Path(__file__).resolve().parents[2] / "sql"

# Folders run in this order, files by name. Postgres checks a LANGUAGE sql function
# when it is created, so what it calls must come before it; PL/pgSQL is checked when it runs. The
# checks are views that call internal functions.
_REPEATABLE_FOLDERS = ("views", "functions/internal", "checks", "functions/api", "grants")

_BOOKKEEPING_SCHEMA = "billing_migrations"
_LOCK_NAME = "billing.migrations"
_CONNECT_TIMEOUT_SECONDS = 5
_LOCK_TIMEOUT = "20s"

Secret = Mapping[str, Any]


class MigrationError(Exception):
    """The database could not be brought to this version; the message says at what and why."""

    code = "migration_failed"


@dataclass(frozen=True, kw_only=True)
class MigrationReport:
    """What a migration did: numbered migrations applied now, files made anew, roles let in."""

    applied: tuple[str, ...]
    repeated: tuple[str, ...]
    roles: tuple[str, ...]


def migrate(
    *,
    secret: Secret,
    role_passwords: Mapping[str, str],
    time_zone: str | None = None,
    sql_folder: Path = SQL_FOLDER,
) -> MigrationReport:
    """Bring the database to the schema of `sql_folder` and let the roles log in.

    `secret` has `username`, `password`, `host`, `port`, `dbname` of the database's owner, who may
    create roles, and optionally `sslmode`. `role_passwords` maps names of roles to passwords.
    `time_zone` is the IANA name of the zone in which days are counted; None keeps the present one,
    which is UTC in a new database. Safe to repeat and to start twice at once: the second waits for
    the first.

    Raises:
        MigrationError: the database can't be reached, or rejected a file, the zone or a role.
    """
    with _locked(secret) as connection:
        applied = _apply_numbered(secret, sql_folder)
        repeated = _apply_repeatable(connection, sql_folder)
        if time_zone is not None:
            _set_time_zone(connection, time_zone)
        for role, password in role_passwords.items():
            _let_in(connection, role, password)
    return MigrationReport(applied=applied, repeated=repeated, roles=tuple(role_passwords))


def pending(*, secret: Secret, sql_folder: Path = SQL_FOLDER) -> tuple[str, ...]:
    """Return the names of the numbered migrations that the database lacks, in their order.

    Raises:
        MigrationError: the database can't be reached.
    """
    with _locked(secret), _backend(secret) as backend:
        missing = backend.to_apply(read_migrations(str(sql_folder / "migrations")))
        return tuple(migration.id for migration in missing)


@contextmanager
def _locked(secret: Secret) -> Iterator[Connection]:
    """Hold the lock of migrations: one at a time, given back even by a process that dies."""
    connection = _connect(secret)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (_LOCK_NAME,))
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {_BOOKKEEPING_SCHEMA}")
        yield connection
    except psycopg2.Error as error:
        raise MigrationError(f"The database could not be migrated: {_reason(error)}") from error
    finally:
        connection.close()


def _connect(secret: Secret) -> Connection:
    try:
        connection: Connection = psycopg2.connect(**_connection_arguments(secret))
    except psycopg2.OperationalError as error:
        place = f"{secret['host']}:{secret['port']}/{secret['dbname']}"
        raise MigrationError(f"No connection to {place}: {_reason(error)}") from error
    connection.autocommit = True
    return connection


def _connection_arguments(secret: Secret) -> dict[str, Any]:
    return {
        "host": secret["host"],
        "port": secret["port"],
        "dbname": secret["dbname"],
        "user": secret["username"],
        "password": secret["password"],
        **_options(secret),
    }


def _options(secret: Secret) -> dict[str, Any]:
    return {
        **tls_arguments(secret),
        "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
        "application_name": "billing-migrate",
    }


def _backend(secret: Secret) -> PostgresqlBackend:
    """Open yoyo's own connection.

    Its class is taken as it is and not by `yoyo.get_backend(url)`: passwords need no escaping, and
    the package of the functions has no entry points to find the class by.
    """
    place = DatabaseURI(
        scheme="postgresql",
        username=secret["username"],
        password=secret["password"],
        hostname=secret["host"],
        port=secret["port"],
        database=secret["dbname"],
        args={**_options(secret), "schema": _BOOKKEEPING_SCHEMA},
    )
    backend = PostgresqlBackend(place, default_migration_table)
    backend.init_database()
    return backend


def _apply_numbered(secret: Secret, sql_folder: Path) -> tuple[str, ...]:
    with _backend(secret) as backend:
        # Whoever left yoyo's lock behind is dead: we hold the lock that the living hold.
        backend.break_lock()
        with backend.lock():
            missing = backend.to_apply(read_migrations(str(sql_folder / "migrations")))
            for migration in missing:
                _apply_one(backend, migration)
    return tuple(migration.id for migration in missing)


def _apply_one(backend: PostgresqlBackend, migration: Any) -> None:
    try:
        backend.apply_one(migration)
    except (psycopg2.Error, BadMigration) as error:
        raise MigrationError(f"Migration {migration.id} failed: {_reason(error)}") from error


def _apply_repeatable(connection: Connection, sql_folder: Path) -> tuple[str, ...]:
    files = [
        file
        for folder in _REPEATABLE_FOLDERS
        for file in sorted((sql_folder / folder).glob("*.sql"))
    ]
    with _transaction(connection):
        for file in files:
            _run_file(connection, file)
    return tuple(str(file.relative_to(sql_folder)) for file in files)


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    connection.autocommit = False
    try:
        # psycopg2's own block: commits, or rolls back when an error leaves it.
        with connection:
            yield
    finally:
        connection.autocommit = True


def _run_file(connection: Connection, file: Path) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(file.read_text(encoding="utf-8"))
    except psycopg2.Error as error:
        raise MigrationError(f"{file.name} failed: {_reason(error)}") from error


def _set_time_zone(connection: Connection, time_zone: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT billing.set_time_zone(%s)", (time_zone,))


def _let_in(connection: Connection, role: str, password: str) -> None:
    """Give a role LOGIN, its timeouts and its password.

    The password is hashed here: a server may log the statements it runs.
    """
    hashed = encrypt_password(password, role, connection, "scram-sha-256")
    name = sql.Identifier(role)
    _alter_role(connection, role, sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}"), name, hashed)
    for setting, value in timeouts_of(role).settings().items():
        statement = sql.SQL("ALTER ROLE {} SET " + setting + " = {}")
        _alter_role(connection, role, statement, name, value)


def _alter_role(
    connection: Connection, role: str, statement: sql.SQL, name: sql.Identifier, value: str
) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement.format(name, sql.Literal(value)))
    except (errors.InsufficientPrivilege, errors.UndefinedObject) as error:
        raise MigrationError(
            f"Role {role} could not be let in: {_reason(error)}. The user that migrates must have"
            " made the role, or be granted it WITH ADMIN OPTION."
        ) from error


def _reason(error: Exception) -> str:
    """Return the first line of an error: the server's word, without the statement's text."""
    return str(error).strip().partition("\n")[0]
