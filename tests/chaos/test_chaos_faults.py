"""Each fault does to real servers what its name says, and its end makes them whole."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest
import redis

from tests.chaos.clients import ask, cache, database, pay
from tools.chaos import clock
from tools.chaos.clock import Clock
from tools.chaos.faults import FAULTS, Fault
from tools.chaos.servers import Servers
from tools.chaos.service import PRELOAD


class Environment:
    """Real servers, and a service of processes that only sleep, to strike."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self.servers = servers
        self.processes = {
            name: subprocess.Popen(["/bin/sleep", "600"])
            for name in ("gateway", "payments-1", "payments-2", "utils-1")
        }
        pids = {name: process.pid for name, process in self.processes.items()}
        self.workers = {name: pid for name, pid in pids.items() if name != "gateway"}
        self.service: Any = SimpleNamespace(
            cloud=SimpleNamespace(pids=pids, prefix="t"),
            workers=lambda: self.workers,
            clock=Clock(folder / "clock"),
        )

    def assert_killed(self, *names: str) -> None:
        """Of all processes these are killed, and the others alive."""
        killed = {name for name in names if self.processes[name].wait(5) == -signal.SIGKILL}
        alive = {name for name, process in self.processes.items() if process.poll() is None}
        assert (killed, alive) == (set(names), set(self.processes) - set(names))

    @contextmanager
    def fault(self, name: str, variant: str = "") -> Iterator[Fault]:
        fault = Fault(self.servers, self.service, variant, random.Random(7))
        steps = FAULTS[name].run(fault)
        next(steps)
        yield fault
        assert next(steps, "ended") == "ended"


@pytest.fixture
def env(servers: Servers, tmp_path: Path) -> Iterator[Environment]:
    env = Environment(servers, tmp_path)
    yield env
    for process in env.processes.values():
        process.kill()
        process.wait()


def ask_for_ever(connection: psycopg2.extensions.connection, statement: str) -> None:
    while True:
        ask(connection, statement)


@pytest.mark.parametrize("variant", ["any", "in_commit"])
def test_what_was_committed_outlives_an_immediate_stop(env: Environment, variant: str) -> None:
    with closing(database(env.servers)) as connection:
        pay(connection, "before")
        with env.fault("postgres_immediate", variant) as fault:
            with pytest.raises(psycopg2.OperationalError):
                ask_for_ever(connection, "SELECT api.pay('meanwhile')")
            assert fault.over.is_set()
    with closing(database(env.servers)) as connection:
        assert ask(connection, "SELECT count(*) FROM paid WHERE bill = 'before'") == 1


def test_a_frozen_server_answers_nobody_until_it_is_thawed(env: Environment) -> None:
    with (
        env.fault("postgres_frozen"),
        pytest.raises(psycopg2.OperationalError, match="timeout"),
    ):
        database(env.servers)
    with closing(database(env.servers)) as connection:
        assert ask(connection, "SELECT 1") == 1


def test_connections_are_cut(env: Environment) -> None:
    with (
        closing(database(env.servers)) as connection,
        env.fault("postgres_cut"),
        pytest.raises(psycopg2.OperationalError),
    ):
        ask_for_ever(connection, "SELECT 1")


def test_a_rotated_password_is_first_changed_then_told(env: Environment) -> None:
    manager: Any = env.servers.clients().secrets
    manager.create_secret(Name="t/database/writer", SecretString='{"password": "old", "port": 1}')
    with (
        env.fault("secret_rotated", "writer"),
        pytest.raises(psycopg2.OperationalError, match="authentication failed"),
    ):
        env.servers.postgres.connect("billing_writer", "old")
    told = json.loads(manager.get_secret_value(SecretId="t/database/writer")["SecretString"])
    assert told["port"] == 1
    env.servers.postgres.connect("billing_writer", told["password"]).close()


def test_the_clock_of_postgres_steps_back_and_returns(env: Environment) -> None:
    with closing(database(env.servers)) as connection:
        before = ask(connection, "SELECT clock_timestamp()")
        with env.fault("clock_back", "postgres") as fault:
            assert ask(connection, "SELECT clock_timestamp()") < before
        now = ask(connection, "SELECT clock_timestamp()")
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
    assert fault.report["seconds"] < 0


@pytest.mark.parametrize(("kind", "stepped"), [("tools.local.worker", True), ("other", False)])
def test_only_workers_look_at_the_clock_of_the_workers(
    env: Environment, kind: str, stepped: bool
) -> None:
    variables = {f"CHAOS_{n}": v for n, v in env.service.clock.variables.items()}
    env.service.clock.set(-86400)
    said = subprocess.run(
        [sys.executable, "-c", "import time; print(time.time())", kind],
        env={**os.environ, **variables, "PYTHONPATH": str(PRELOAD)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (time.time() - float(said.stdout) > 80_000) is stepped


@pytest.mark.parametrize(
    ("name", "meanwhile", "after"),
    [
        ("redis_rejecting", redis.ConnectionError, b"new"),
        ("redis_hung", redis.TimeoutError, b"new"),
        ("redis_flushed", None, None),
        ("redis_old", b"old", b"old"),
    ],
)
def test_a_cache_is_away_empty_or_old(
    env: Environment, name: str, meanwhile: object, after: bytes | None
) -> None:
    with cache(env.servers) as client:
        client.set("a", "old")
        with env.fault(name):
            assert _said(client, "a") == meanwhile
            with env.servers.redis() as direct:
                direct.set("a", "new", xx=True)
        assert client.get("a") == after


@pytest.mark.parametrize("variant", FAULTS["redis_lying"].variants)
def test_a_lying_cache_never_says_the_truth_for_long(env: Environment, variant: str) -> None:
    with cache(env.servers) as client:
        client.mset({"a": "1", "b": "2"})
        with env.fault("redis_lying", variant) as fault:
            client.mset({"a": "3", "b": "4"})
            heard = [(key, _said(client, key)) for key in ("a", "b") * 20]
    assert any(said not in (("a", b"3"), ("b", b"4")) for said in heard)
    assert fault.struck > 0
    with cache(env.servers) as client:
        assert client.get("a") == b"3"


def _said(client: redis.Redis, key: str) -> object:
    try:
        return client.get(key)
    except (redis.RedisError, ValueError) as error:
        return type(error)


@pytest.mark.parametrize("name", [name for name in FAULTS if name.startswith("sqs_")])
def test_a_queue_misbehaves_only_while_its_fault_lasts(env: Environment, name: str) -> None:
    proxy = env.servers.aws_proxy
    for variant in FAULTS[name].variants:
        with env.fault(name, variant) as fault:
            assert len(proxy._rules) == 1
        assert (proxy._rules, fault.struck) == ([], 0)


def test_the_first_worker_at_the_step_is_killed_and_no_other(env: Environment) -> None:
    pids = env.workers
    with env.fault("kill_at_step", "committed") as fault:
        assert fault.struck == 0
        for step, pid in [
            ("received", pids["utils-1"]),
            ("committed", os.getpid()),
            ("committed", None),
            ("committed", pids["payments-2"]),
            ("committed", pids["payments-1"]),
        ]:
            line: Any = type("Line", (), {"pid": pid})()
            env.servers.postgres_proxy.notify(step, line, "payments")
        assert fault.over.is_set()
    env.assert_killed("payments-2")
    assert (fault.report["killed"][0]["worker"], fault.struck) == ("payments-2", 1)


@pytest.mark.parametrize(
    ("variant", "victims"),
    [("workers", ["payments-1", "payments-2", "utils-1"]), ("gateway", ["gateway"])],
)
def test_workers_or_the_gateway_are_killed_at_random(
    env: Environment, variant: str, victims: list[str]
) -> None:
    with env.fault("kill_random", variant) as fault:
        assert sorted(fault.report["killed"]) == victims
    env.assert_killed(*victims)


def test_nothing_of_killed_processes_stays_in_shared_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    names = {
        f"{kind}_{pid}"
        for kind in ("faketime_shm", "sem.faketime_sem")
        for pid in (gone.pid, os.getpid())
    }
    for name in (*names, "faketime_shm_x"):
        (tmp_path / name).touch()
    monkeypatch.setattr(clock, "_SHARED", tmp_path)
    clock.clean_up()
    left = {file.name for file in tmp_path.iterdir()}
    assert left == {name for name in names if name.endswith(f"_{os.getpid()}")} | {"faketime_shm_x"}
