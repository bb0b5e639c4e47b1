"""`python -m tools.local up`, as a developer meets it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from moto.server import ThreadedMotoServer

from tests.support.api import Caller
from tools.local.demo import ensure_demo
from tools.local.files import write_private_json
from tools.local.postgres import EmbeddedPostgres
from tools.local.processes import free_port
from tools.local.redis import EmbeddedRedis
from tools.local.settings import REPOSITORY
from tools.local.stack import Stack, left


def log_in(stack: Stack, resident: dict[str, Any]) -> dict[str, Any]:
    answer = stack.clients.cognito.initiate_auth(
        ClientId=stack.cloud.user_pool_client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": resident["username"], "PASSWORD": resident["password"]},
    )
    return dict(answer["AuthenticationResult"])


def subs(stack: Stack) -> list[str]:
    pool = stack.cloud.user_pool_id
    found = []
    for resident in stack.demo["residents"]:
        user = stack.clients.cognito.admin_get_user(UserPoolId=pool, Username=resident["username"])
        found += [a.get("Value", "") for a in user["UserAttributes"] if a["Name"] == "sub"]
    return found


def rows(stack: Stack, query: str) -> list[tuple[Any, ...]]:
    with stack.database() as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def counts(stack: Stack) -> tuple[Any, ...]:
    tables = ("residents", "apartments", "residencies", "bills", "payments", "history", "imports")
    columns = ", ".join(f"(SELECT count(*) FROM billing.{table})" for table in tables)
    return rows(stack, f"SELECT {columns}")[0]


def run(command: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.local", command],
        cwd=REPOSITORY,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_demo_residents_log_in_and_have_two_years_of_bills_and_a_right_ledger(stack: Stack) -> None:
    demo = {apartment for r in stack.demo["residents"] for apartment in r["apartments"]}
    bills = rows(stack, "SELECT apartment_id::text, count(*) FROM billing.bills GROUP BY 1")
    assert {home: count for home, count in bills if home in demo} == dict.fromkeys(demo, 72)
    assert rows(stack, "SELECT * FROM api.violations()") == []
    assert stack.demo["api"] == stack.base_url
    assert {tuple(sorted(resident)) for resident in stack.demo["residents"]} == {
        ("apartments", "name", "password", "username")
    }
    for resident in stack.demo["residents"]:
        assert log_in(stack, resident)["IdToken"]


def test_seeding_again_completes_an_interrupted_start_and_changes_no_password(
    stack: Stack,
) -> None:
    before, demo = counts(stack), stack.demo
    zoe = demo["residents"][1]
    set_password(stack, zoe["username"], "My-own-password-1")
    write_private_json(stack.state / "demo.json", demo | {"complete": False})
    assert ensure_demo(stack.state, stack.cloud, stack.clients) == demo == stack.demo
    assert counts(stack) == before
    assert log_in(stack, zoe | {"password": "My-own-password-1"})["IdToken"]
    set_password(stack, zoe["username"], zoe["password"])


def set_password(stack: Stack, username: str, password: str) -> None:
    stack.clients.cognito.admin_set_user_password(
        UserPoolId=stack.cloud.user_pool_id,
        Username=username,
        Password=password,
        Permanent=True,
    )


@pytest.mark.parametrize("name", ["payments-1", "redis", "gateway", "sweep", "aws"])
def test_a_killed_process_is_back_within_about_a_second(stack: Stack, name: str) -> None:
    before = stack.cloud.redis_url, subs(stack)
    assert stack.kill(name) < 2
    stack.wait_until_ready()
    assert (stack.cloud.redis_url, subs(stack)) == before


def test_a_second_start_on_the_same_state_names_the_first(stack: Stack) -> None:
    second = run("up", {"BILLING_STATE": str(stack.state), "PORT": str(free_port())})
    assert second.returncode == 1
    assert f"process {stack.cloud.pids['supervisor']}" in second.stderr


def test_a_port_in_use_is_told_and_nothing_is_started(stack: Stack, tmp_path: Path) -> None:
    state = tmp_path / "state"
    second = run("up", {"BILLING_STATE": str(state), "PORT": str(stack.port)})
    assert second.returncode == 1
    assert f"Port {stack.port}" in second.stderr
    assert "make up PORT=" in second.stderr
    assert not state.exists()


def test_status_shows_what_runs(stack: Stack) -> None:
    shown = run("status", {"BILLING_STATE": str(stack.state)})
    assert (shown.returncode, "payments-1" in shown.stdout) == (0, True)


def test_a_later_start_is_fast_and_finds_everything_as_it_was(tmp_path: Path) -> None:
    own = Stack(tmp_path / "state")
    own.start()
    before, demo, people = counts(own), own.demo, subs(own)
    token = log_in(own, demo["residents"][0])["RefreshToken"]
    assert own.stop(signal.SIGTERM) == 0
    allowed, started = _later_start_seconds(), time.monotonic()
    own.start()
    try:
        assert time.monotonic() - started < allowed
        assert (counts(own), own.demo, subs(own)) == (before, demo, people)
        refreshed = own.clients.cognito.initiate_auth(
            ClientId=own.cloud.user_pool_client_id,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": token},
        )
        assert refreshed["AuthenticationResult"]["IdToken"]
        _kill_supervisor(own)
    finally:
        own.stop()


def _later_start_seconds() -> float:
    """Ten seconds, and more where others use the machine at the same time."""
    return 10 * max(1.0, 1.5 * os.getloadavg()[0] / (os.cpu_count() or 1))


def _kill_supervisor(own: Stack) -> None:
    """Even a supervisor that is killed leaves nothing behind."""
    supervisor = psutil.Process(own.cloud.pids["supervisor"])
    family = supervisor.children(recursive=True)
    supervisor.kill()
    assert left(family, seconds=15) == []


@pytest.fixture
def real_servers(tmp_path: Path) -> Iterator[dict[str, str]]:
    postgres = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    redis = EmbeddedRedis(tmp_path / "redis")
    aws = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    aws.start()
    host, port = aws.get_host_and_port()
    yield {
        "DATABASE_URL": postgres.start(),
        "REDIS_URL": redis.start(),
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }
    aws.stop()
    redis.stop()
    postgres.destroy()


def test_it_uses_the_servers_that_the_environment_names(
    tmp_path: Path, real_servers: dict[str, str]
) -> None:
    own = Stack(tmp_path / "state", real_servers)
    own.start()
    try:
        assert not {"postgres", "redis", "aws"} & set(own.cloud.pids)
        assert own.cloud.database_url == real_servers["DATABASE_URL"]
        assert counts(own)[0] == len(own.demo["residents"])
        with httpx.Client(base_url=own.base_url, timeout=35) as http:
            resident = own.demo["residents"][0]
            names = {name: resident[name] for name in ("username", "password")}
            assert Caller(http).ask("/auth", names)["status"] == "done"
    finally:
        own.stop()


def test_a_database_that_is_not_there_is_named(tmp_path: Path) -> None:
    url = f"postgresql://nobody:hush@127.0.0.1:{free_port()}/billing"
    variables = {"BILLING_STATE": str(tmp_path / "state"), "PORT": str(free_port())}
    failed = run("up", variables | {"DATABASE_URL": url})
    assert failed.returncode == 1
    assert "database" in failed.stderr
    assert "hush" not in failed.stderr
    assert "Traceback" not in failed.stderr
