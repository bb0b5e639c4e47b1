"""The embedded Postgres keeps its data and port and is not reachable from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

from tools.local.files import read_json
from tools.local.postgres import EmbeddedPostgres, end_previous
from tools.local.settings import REPOSITORY

STARTER = """
import sys, time
from pathlib import Path
from tools.local.postgres import EmbeddedPostgres
print(EmbeddedPostgres(Path(sys.argv[1]), durable=False).start(), flush=True)
time.sleep(60)
"""


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    postgres = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    postgres.start()
    yield postgres
    postgres.destroy()


def query(url: str, text: str) -> object:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchone() if cursor.description else None
    finally:
        connection.close()


def test_the_owner_may_make_roles_but_is_no_superuser(postgres: EmbeddedPostgres) -> None:
    rights = "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = user"
    assert query(postgres.url, rights) == (False, True, False)


def test_data_port_and_passwords_survive_a_restart(postgres: EmbeddedPostgres) -> None:
    before = postgres.url
    query(postgres.url, "CREATE TABLE kept AS SELECT 'ціле' AS word")
    postgres.stop()
    assert postgres.start() == before
    assert query(postgres.url, "SELECT word FROM kept") == ("ціле",)


def test_nobody_gets_in_without_the_password(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(postgres.url, password="guess").close()


def test_it_listens_on_this_machine_alone_and_never_runs_as_root(
    postgres: EmbeddedPostgres,
) -> None:
    assert postgres.process is not None
    server = psutil.Process(postgres.process.pid)
    sockets = server.net_connections(kind="all")
    assert {c.laddr.ip for c in sockets if c.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
    assert server.uids().effective != 0


def test_passwords_are_for_the_owners_eyes_alone(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    file = tmp_path / "postgres" / "access.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_json(file)["superuser_password"] not in postgres.log.read_text()


def test_a_server_whose_starter_was_killed_can_be_started_again_and_destroyed(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "postgres"
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder)], stdout=subprocess.PIPE, cwd=REPOSITORY
    ) as starter:
        assert starter.stdout is not None
        url = starter.stdout.readline().decode().strip()
        query(url, "CREATE TABLE kept AS SELECT 1 AS n")
        starter.kill()
    again = EmbeddedPostgres(folder, durable=False)
    try:
        assert query(again.start(), "SELECT n FROM kept") == (1,)
    finally:
        again.destroy()
    assert not again.data.exists()
    assert not folder.exists()


def test_a_process_id_that_now_belongs_to_another_program_is_forgotten(tmp_path: Path) -> None:
    note = tmp_path / "postmaster.pid"
    note.write_text(f"{os.getpid()}\n{tmp_path}\n")
    end_previous(tmp_path)
    assert not note.exists()
