"""The migration adapter on a real server, as a plain owner of the database."""

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest
from psycopg2 import sql

from billing_app.adapters.migrations import SQL_FOLDER, MigrationError, migrate, pending
from tests.support.databases import ROLE_PASSWORD, BooksDatabase, Login, Server
from tests.support.ledger import query, value

MIGRATIONS = sorted((SQL_FOLDER / "migrations").glob("*.sql"))
NAMES = tuple(file.stem for file in MIGRATIONS)


@pytest.fixture
def empty(postgres_server: Server) -> Iterator[BooksDatabase]:
    """Give a database that was never migrated."""
    with postgres_server.database(migrated=False) as database:
        yield database


@pytest.fixture
def sql_folder(tmp_path: Path) -> Path:
    """Give a copy of the sql folder to tamper with."""
    return Path(shutil.copytree(SQL_FOLDER, tmp_path / "sql"))


def test_an_empty_database_gets_everything_in_order(empty: BooksDatabase) -> None:
    secret = empty.secret("owner")
    assert pending(secret=secret) == NAMES
    report = migrate(secret=secret, role_passwords={})
    assert report.applied == NAMES
    assert report.repeated[-1] == "grants/roles.sql"
    assert pending(secret=secret) == ()


def test_migrating_again_applies_no_number_but_mends_functions(empty: BooksDatabase) -> None:
    secret, owner = empty.secret("owner"), empty.connect("owner")
    first = migrate(secret=secret, role_passwords={})
    query(owner, "DROP FUNCTION api.violations()")
    query(owner, "GRANT SELECT ON billing.bills TO billing_reader")
    again = migrate(secret=secret, role_passwords={})
    assert again.applied == ()
    assert again.repeated == first.repeated
    assert query(owner, "SELECT * FROM api.violations()") == []
    granted = "SELECT has_table_privilege('billing_reader', 'billing.bills', 'SELECT')"
    assert value(owner, granted) is False


def test_two_migrations_at_once_take_turns(empty: BooksDatabase) -> None:
    secret = empty.secret("owner")
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(migrate, secret=secret, role_passwords={}) for _ in range(2)]
        applied = sorted(len(run.result().applied) for run in runs)
    assert applied == [0, len(NAMES)]


def test_a_migration_that_was_killed_does_not_lock_out_the_next(empty: BooksDatabase) -> None:
    secret = empty.secret("owner")
    pending(secret=secret)
    left_behind = (
        "INSERT INTO billing_migrations.yoyo_lock (locked, ctime, pid) VALUES (1, now(), 1)"
    )
    query(empty.connect("owner"), left_behind)
    assert migrate(secret=secret, role_passwords={}).applied == NAMES


def test_a_failing_migration_is_undone_and_named(empty: BooksDatabase, sql_folder: Path) -> None:
    secret = empty.secret("owner")
    migrate(secret=secret, role_passwords={}, sql_folder=sql_folder)
    (sql_folder / "migrations" / "9999_broken.sql").write_text(
        f"-- depends: {NAMES[-1]}\nCREATE TABLE billing.half (id int);\nSELECT 1 / 0;\n"
    )
    with pytest.raises(MigrationError, match=r"Migration 9999_broken failed: division by zero"):
        migrate(secret=secret, role_passwords={}, sql_folder=sql_folder)
    owner = empty.connect("owner")
    assert value(owner, "SELECT to_regclass('billing.half')") is None
    assert pending(secret=secret, sql_folder=sql_folder) == ("9999_broken",)


def test_a_failing_function_undoes_all_functions_and_is_named(
    empty: BooksDatabase, sql_folder: Path
) -> None:
    secret = empty.secret("owner")
    migrate(secret=secret, role_passwords={}, sql_folder=sql_folder)
    changed, broken = "functions/api/checks.sql", "functions/api/history.sql"
    (sql_folder / changed).write_text("COMMENT ON FUNCTION api.violations() IS 'changed'")
    (sql_folder / broken).write_text("CREATE OR REPLACE FUNCTION nonsense")
    with pytest.raises(MigrationError, match=r"history\.sql failed: syntax error"):
        migrate(secret=secret, role_passwords={}, sql_folder=sql_folder)
    comment = "SELECT obj_description('api.violations()'::regprocedure, 'pg_proc')"
    assert value(empty.connect("owner"), comment) != "changed"


def test_a_server_that_is_not_there_is_told(empty: BooksDatabase) -> None:
    secret = {**empty.secret("owner"), "port": 1}
    with pytest.raises(MigrationError, match=r"No connection to .*:1/"):
        migrate(secret=secret, role_passwords={})


def test_a_wrong_password_is_told_without_it(empty: BooksDatabase) -> None:
    secret = {**empty.secret("owner"), "password": "s3cret"}
    with pytest.raises(MigrationError, match="No connection") as rejected:
        migrate(secret=secret, role_passwords={})
    assert "s3cret" not in str(rejected.value)


def test_roles_log_in_with_passwords_of_any_characters(empty: BooksDatabase) -> None:
    """The roles are the server's, so that they get the password back that the tests share."""
    login = empty.login("reader")
    for password in ("p@ss:/w%20rd?#'\"\\ ж", ROLE_PASSWORD):
        migrate(secret=empty.secret("owner"), role_passwords={"billing_reader": password})
        connection = Login(**{**vars(login), "password": password}).connect()
        assert value(connection, "SELECT current_user") == "billing_reader"
        given = value(connection, "SELECT rolconfig FROM pg_roles WHERE rolname = current_user")
        assert "lock_timeout=2000ms" in given
        connection.close()


def test_the_owner_may_have_any_name_and_password(empty: BooksDatabase) -> None:
    admin, name = empty.connect("admin"), f"owner of books {uuid4().hex[:8]}"
    password = "p@ss:/w%20rd?#'\"\\"
    role, place = sql.Identifier(name), sql.Identifier(empty.owner.dbname)
    # It gets the roles that another owner made on this server, as it would by hand.
    for statement in (
        sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(role, sql.Literal(password)),
        sql.SQL("ALTER DATABASE {} OWNER TO {}").format(place, role),
    ):
        query(admin, statement.as_string(admin))
    try:
        secret = {**empty.secret("owner"), "username": name, "password": password}
        assert migrate(secret=secret, role_passwords={}).applied == NAMES
    finally:
        query(admin, sql.SQL("REASSIGN OWNED BY {} TO CURRENT_USER").format(role).as_string(admin))
        query(admin, sql.SQL("DROP OWNED BY {}").format(role).as_string(admin))
        query(admin, sql.SQL("DROP ROLE {}").format(role).as_string(admin))


def test_a_role_that_is_not_the_migrators_own_is_told(empty: BooksDatabase) -> None:
    admin, role = empty.connect("admin"), f"not_ours_{uuid4().hex[:8]}"
    migrate(secret=empty.secret("owner"), role_passwords={})
    with pytest.raises(MigrationError, match=f"Role {role} could not be let in"):
        migrate(secret=empty.secret("owner"), role_passwords={role: "x"})
    assert query(admin, "SELECT 1 FROM pg_roles WHERE rolname = %s", role) == []


def test_passwords_never_reach_the_server_in_clear(
    empty: BooksDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that the adapter's connections send is written down here, in place of a server's log."""
    sent: list[str] = []

    class Spy(psycopg2.extensions.cursor):
        def execute(self, query: object, parameters: object = None) -> None:
            text = query.as_string(self) if isinstance(query, sql.Composable) else str(query)
            sent.append(f"{text} {parameters}")
            super().execute(query, parameters)  # type: ignore[arg-type]

    connect = psycopg2.connect
    monkeypatch.setattr(psycopg2, "connect", lambda **kw: connect(cursor_factory=Spy, **kw))
    migrate(secret=empty.secret("owner"), role_passwords={"billing_reader": ROLE_PASSWORD})
    assert any("SCRAM-SHA-256$" in statement for statement in sent)
    assert not any(ROLE_PASSWORD in statement for statement in sent)


@pytest.mark.parametrize("file", MIGRATIONS, ids=lambda file: file.stem)
def test_a_migration_bounds_its_waiting_and_depends_on_the_one_before(file: Path) -> None:
    text = file.read_text(encoding="ascii")
    assert re.fullmatch(r"\d{4}_[a-z_]+", file.stem)
    assert re.search(r"^SET LOCAL lock_timeout = '\d+s';$", text, re.MULTILINE)
    assert re.search(r"^SET LOCAL statement_timeout = '\d+s';$", text, re.MULTILINE)
    depends = re.findall(r"^-- depends: (.+)$", text, re.MULTILINE)
    assert bool(depends) == (file != MIGRATIONS[0])
    assert all(set(names.split()) <= set(NAMES) for names in depends)


def test_every_sql_file_is_reached_by_the_migration(empty: BooksDatabase) -> None:
    report = migrate(secret=empty.secret("owner"), role_passwords={})
    reached = {f"migrations/{name}.sql" for name in report.applied} | set(report.repeated)
    files = {str(file.relative_to(SQL_FOLDER)) for file in SQL_FOLDER.rglob("*.sql")}
    assert files - {"examples/pay.sql"} == reached


@pytest.mark.parametrize(("folder", "schema"), [("internal", "billing"), ("api", "api")])
def test_functions_of_a_folder_belong_to_its_schema(folder: str, schema: str) -> None:
    for file in (SQL_FOLDER / "functions" / folder).glob("*.sql"):
        made = re.findall(r"CREATE OR REPLACE FUNCTION (\w+)\.", file.read_text("utf-8"))
        assert set(made) == {schema}
