"""The migration adapter on a real server, as a plain owner of the database."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

import psycopg2
import pytest
from psycopg2 import sql

from billing_app.adapters.migrations import (
    SQL_FOLDER,
    MigrationError,
    MigrationReport,
    migrate,
    pending,
)
from tests.support.databases import ROLE_PASSWORD, LedgerDatabase, Server
from tests.support.ledger import Ledger, query, value

MIGRATIONS = sorted((SQL_FOLDER / "migrations").glob("*.sql"))
NAMES = tuple(file.stem for file in MIGRATIONS)
AWKWARD = "p@ss:/w%20rd?#'\"\\ ж"


@pytest.fixture
def empty(postgres_server: Server) -> Iterator[LedgerDatabase]:
    """Give a database that was never migrated."""
    with postgres_server.database(migrated=False) as database:
        yield database


@pytest.fixture
def sql_folder(tmp_path: Path) -> Path:
    """Give a copy of the sql folder to change."""
    return Path(shutil.copytree(SQL_FOLDER, tmp_path / "sql"))


def migrated(
    database: LedgerDatabase,
    sql_folder: Path = SQL_FOLDER,
    role_passwords: Mapping[str, str] = MappingProxyType({}),
) -> MigrationReport:
    secret = database.secret("owner")
    return migrate(secret=secret, role_passwords=role_passwords, sql_folder=sql_folder)


def test_an_empty_database_gets_every_file_in_order(empty: LedgerDatabase) -> None:
    assert pending(secret=empty.secret("owner")) == NAMES
    report = migrated(empty)
    assert report.applied == NAMES
    assert report.repeated[-1] == "grants/roles.sql"
    assert pending(secret=empty.secret("owner")) == ()
    # A right to the database itself, which no copy of it has.
    may = "SELECT has_database_privilege('billing_reader', current_database(), 'TEMPORARY')"
    assert value(empty.connect("owner"), may) is False
    files = {str(file.relative_to(SQL_FOLDER)) for file in SQL_FOLDER.rglob("*.sql")}
    numbered = {f"migrations/{name}.sql" for name in NAMES}
    assert files == {*numbered, *report.repeated, "examples/pay.sql"}


def test_a_second_migration_only_restores_functions_and_grants(empty: LedgerDatabase) -> None:
    owner, first = empty.connect("owner"), migrated(empty)
    query(owner, "DROP FUNCTION api.violations()")
    query(owner, "GRANT SELECT ON billing.bills TO billing_reader")
    again = migrated(empty)
    assert (again.applied, again.repeated) == ((), first.repeated)
    assert query(owner, "SELECT * FROM api.violations()") == []
    granted = "SELECT has_table_privilege('billing_reader', 'billing.bills', 'SELECT')"
    assert value(owner, granted) is False


# Two numbers: one for gas, then for water, then for gas again; one for October, then for November.
BILLS_BY_NUMBER = """
    INSERT INTO billing.apartments VALUES ('{0}', 'Main street 1');
    INSERT INTO billing.apartment_state (apartment_id) VALUES ('{0}');
    INSERT INTO billing.providers VALUES ('city-gas', 'City Gas');
    INSERT INTO billing.imports VALUES ('{0}', 'old.csv', repeat('0', 64));
    INSERT INTO billing.bills (bill_id, provider_reference, utility, period_to, revision, replaces,
        period_from, apartment_id, provider_id, due_on, amount_minor, currency, import_id)
    SELECT ('{0}'::text || n)::uuid, ref, utility, day::date, revision, ('{0}'::text || old)::uuid,
        '2026-10-01', '{0}', 'city-gas', '2026-12-15', 100 + n::int, 'EUR', '{0}'
    FROM (VALUES ('1', 'A', 'gas', '2026-10-31', 1, null),
        ('2', 'A', 'water', '2026-10-31', 2, '1'), ('3', 'A', 'gas', '2026-10-31', 3, '2'),
        ('4', 'u\u0308', 'gas', '2026-10-31', 1, null),
        ('5', 'u\u0308', 'gas', '2026-11-30', 2, '4')) t (n, ref, utility, day, revision, old);
    INSERT INTO billing.open_bills SELECT bill_id, apartment_id, amount_minor, currency
    FROM billing.bills WHERE amount_minor IN (103, 105);
"""


def test_bills_that_replaced_another_of_their_number_stand_beside_it(
    empty: LedgerDatabase, sql_folder: Path
) -> None:
    for file in sql_folder.rglob("*.sql"):
        if file.name >= "0009" and file.name != "bill_states.sql":
            file.unlink()
    migrated(empty, sql_folder)
    admin, prefix = empty.connect("admin"), str(uuid4())[:-1]
    query(admin, "SET session_replication_role = replica")
    bills = BILLS_BY_NUMBER.replace("'{0}'::text", f"'{prefix}'")
    query(admin, bills.replace("{0}", f"{prefix}0"))
    query(admin, "UPDATE billing.apartment_state SET version = 2")
    migrated(empty)
    states = "SELECT state, revision FROM billing.bills JOIN billing.bill_states USING (bill_id)"
    assert query(admin, f"{states} ORDER BY amount_minor") == [
        *[("replaced", 1), ("void", 1), ("open", 2), ("void", 1), ("open", 1)]
    ]
    ledger = Ledger(empty)
    assert ledger.violations() == []
    assert ledger.reinstate(f"{prefix}2")["status"] == "done"
    assert ledger.reinstate(f"{prefix}4", allow_duplicates=True)["status"] == "done"


def test_two_migrations_at_once_take_turns(empty: LedgerDatabase) -> None:
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(migrated, [empty, empty]))
    assert sorted(len(report.applied) for report in reports) == [0, len(NAMES)]


def test_a_migration_that_was_killed_does_not_lock_out_the_next(empty: LedgerDatabase) -> None:
    pending(secret=empty.secret("owner"))
    lock = "INSERT INTO billing_migrations.yoyo_lock (locked, ctime, pid) VALUES (1, now(), 1)"
    query(empty.connect("owner"), lock)
    assert migrated(empty).applied == NAMES


def test_a_failing_migration_is_rolled_back_and_named(
    empty: LedgerDatabase, sql_folder: Path
) -> None:
    migrated(empty, sql_folder)
    (sql_folder / "migrations" / "9999_broken.sql").write_text(
        f"-- depends: {NAMES[-1]}\nCREATE TABLE billing.half (id int);\nSELECT 1 / 0;\n"
    )
    with pytest.raises(MigrationError, match=r"Migration 9999_broken failed: division by zero"):
        migrated(empty, sql_folder)
    assert value(empty.connect("owner"), "SELECT to_regclass('billing.half')") is None
    assert pending(secret=empty.secret("owner"), sql_folder=sql_folder) == ("9999_broken",)


def test_a_failing_function_rolls_all_functions_back_and_is_named(
    empty: LedgerDatabase, sql_folder: Path
) -> None:
    migrated(empty, sql_folder)
    functions = sql_folder / "functions" / "api"
    (functions / "checks.sql").write_text("COMMENT ON FUNCTION api.violations() IS 'changed'")
    (functions / "history.sql").write_text("CREATE OR REPLACE FUNCTION nonsense")
    with pytest.raises(MigrationError, match=r"history\.sql failed: syntax error"):
        migrated(empty, sql_folder)
    comment = "SELECT obj_description('api.violations()'::regprocedure, 'pg_proc')"
    assert value(empty.connect("owner"), comment) != "changed"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"port": 1}, r"No connection to .*:1/"), ({"password": "s3cret"}, "No connection")],
    ids=["port", "password"],
)
def test_a_failed_connection_is_reported_without_the_password(
    empty: LedgerDatabase, wrong: dict[str, object], message: str
) -> None:
    with pytest.raises(MigrationError, match=message) as rejected:
        migrate(secret={**empty.secret("owner"), **wrong}, role_passwords={})
    assert "s3cret" not in str(rejected.value)


def test_roles_log_in_with_passwords_of_any_characters(empty: LedgerDatabase) -> None:
    """The roles are the server's, so they get the password back that the tests share."""
    for password in (AWKWARD, ROLE_PASSWORD):
        migrated(empty, role_passwords={"billing_reader": password})
        connection = replace(empty.login("reader"), password=password).connect()
        assert value(connection, "SELECT current_user") == "billing_reader"
        given = value(connection, "SELECT rolconfig FROM pg_roles WHERE rolname = current_user")
        assert "lock_timeout=2000ms" in given
        connection.close()


def test_the_owner_may_have_any_name_and_password(empty: LedgerDatabase) -> None:
    admin, name = empty.connect("admin"), f"owner of ledger {uuid4().hex[:8]}"
    role, password = sql.Identifier(name), AWKWARD[:-2]

    def run(statement: str, *parts: sql.Composable) -> None:
        query(admin, sql.SQL(statement).format(*parts).as_string(admin))

    # It gets the roles that another owner made on this server, as it would by hand.
    run("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}", role, sql.Literal(password))
    run("ALTER DATABASE {} OWNER TO {}", sql.Identifier(empty.owner.dbname), role)
    try:
        secret = {**empty.secret("owner"), "username": name, "password": password}
        assert migrate(secret=secret, role_passwords={}).applied == NAMES
    finally:
        run("REASSIGN OWNED BY {} TO CURRENT_USER", role)
        run("DROP OWNED BY {}", role)
        run("DROP ROLE {}", role)


def test_a_role_that_the_migrator_does_not_own_is_reported(empty: LedgerDatabase) -> None:
    role = f"not_ours_{uuid4().hex[:8]}"
    with pytest.raises(MigrationError, match=f"Role {role} could not be let in"):
        migrated(empty, role_passwords={role: "x"})
    roles = "SELECT 1 FROM pg_roles WHERE rolname = %s"
    assert query(empty.connect("admin"), roles, role) == []


def test_passwords_never_reach_the_server_in_clear(
    empty: LedgerDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Record all that the adapter's connections send, in place of a server's log."""
    sent: list[str] = []

    class Spy(psycopg2.extensions.cursor):
        def execute(self, query: object, parameters: object = None) -> None:
            text = query.as_string(self) if isinstance(query, sql.Composable) else str(query)
            sent.append(f"{text} {parameters}")
            # What psycopg2 takes, whatever that is.
            super().execute(query, parameters)  # type: ignore[arg-type]

    connect = psycopg2.connect
    monkeypatch.setattr(psycopg2, "connect", lambda **kw: connect(cursor_factory=Spy, **kw))
    migrated(empty, role_passwords={"billing_reader": ROLE_PASSWORD})
    assert any("SCRAM-SHA-256$" in statement for statement in sent)
    assert not any(ROLE_PASSWORD in statement for statement in sent)


@pytest.mark.parametrize("file", MIGRATIONS, ids=lambda file: file.stem)
def test_a_migration_has_timeouts_and_depends_on_the_one_before(file: Path) -> None:
    text = file.read_text(encoding="ascii")
    assert re.fullmatch(r"\d{4}_[a-z_]+", file.stem)
    for setting in ("lock_timeout", "statement_timeout"):
        assert re.search(rf"^SET LOCAL {setting} = '\d+s';$", text, re.MULTILINE)
    depends = re.findall(r"^-- depends: (.+)$", text, re.MULTILINE)
    assert bool(depends) == (file != MIGRATIONS[0])
    assert all(set(names.split()) <= set(NAMES) for names in depends)


@pytest.mark.parametrize(("folder", "schema"), [("internal", "billing"), ("api", "api")])
def test_functions_of_a_folder_belong_to_its_schema(folder: str, schema: str) -> None:
    for file in (SQL_FOLDER / "functions" / folder).glob("*.sql"):
        made = re.findall(r"CREATE OR REPLACE FUNCTION (\w+)\.", file.read_text("utf-8"))
        assert set(made) == {schema}
