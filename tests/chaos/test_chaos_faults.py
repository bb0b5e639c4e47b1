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
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tools.chaos import clock
from tools.chaos.clock import Clock
from tools.chaos.faults import FAULTS, Fault
from tools.chaos.proxies import StepEvent
from tools.chaos.servers import Servers, port_of
from tools.chaos.service import PRELOAD


@dataclass
class Part:
    """What faults ask of the service."""

    pids: dict[str, int]
    prefix: str = "t"


class FakeService:
    """A service of processes that only sleep."""

    def __init__(self, folder: Path) -> None:
        self.processes = {
            name: subprocess.Popen(["/bin/sleep", "600"])
            for name in ("gateway", "payments-1", "payments-2", "utils-1")
        }
        self.clock = Clock(folder / "clock")

    @property
    def cloud(self) -> Part:
        return Part({name: process.pid for name, process in self.processes.items()})

    def workers(self) -> dict[str, int]:
        return {name: pid for name, pid in self.cloud.pids.items() if "-" in name}

    def dead(self, seconds: float = 5.0) -> set[str]:
        """Return those that have been killed, waiting for the first."""
        deadline = time.monotonic() + seconds
        while not (dead := self._dead()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return dead

    def _dead(self) -> set[str]:
        killed = -signal.SIGKILL
        return {name for name, process in self.processes.items() if process.poll() == killed}

    def stop(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    servers = Servers(tmp_path_factory.mktemp("servers"))
    try:
        servers.start()
        with servers.postgres.cursor() as cursor:
            cursor.execute("CREATE SCHEMA api; CREATE TABLE paid (number int)")
            cursor.execute(
                "CREATE FUNCTION api.pay(p_number int) RETURNS int LANGUAGE sql AS"
                " 'INSERT INTO paid VALUES (p_number) RETURNING number'"
            )
            cursor.execute("CREATE ROLE billing_writer LOGIN PASSWORD 'old'")
        yield servers
    finally:
        servers.stop()


class Active:
    """A fault that a test begins and ends."""

    def __init__(self, fault: Fault, name: str) -> None:
        self.fault = fault
        self._steps = FAULTS[name].run(fault)

    def begin(self) -> None:
        next(self._steps)

    def end(self) -> None:
        assert next(self._steps, "ended") == "ended"


class Environment:
    """Real servers and a fake service to strike."""

    def __init__(self, servers: Servers, service: FakeService) -> None:
        self.servers = servers
        self.service = service

    def fault(self, name: str, variant: str = "") -> Active:
        service: Any = self.service
        return Active(Fault(self.servers, service, variant, random.Random(7)), name)


@pytest.fixture
def env(servers: Servers, tmp_path: Path) -> Iterator[Environment]:
    service = FakeService(tmp_path)
    yield Environment(servers, service)
    servers.restore()
    service.stop()


def through_the_proxy(servers: Servers) -> psycopg2.extensions.connection:
    connection = psycopg2.connect(servers.variables()["DATABASE_URL"], connect_timeout=5)
    connection.autocommit = True
    return connection


def answer(connection: psycopg2.extensions.connection, statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()[0][0]


def ask_for_ever(connection: psycopg2.extensions.connection, statement: str) -> None:
    while True:
        answer(connection, statement)


def cache(servers: Servers) -> redis.Redis:
    url, retry = servers.variables()["REDIS_URL"], Retry(NoBackoff(), 0)
    options: dict[str, Any] = {"socket_timeout": 0.5, "retry": retry}
    client: redis.Redis = redis.Redis.from_url(url, **options)
    return client


@pytest.mark.parametrize("variant", ["any", "in_commit"])
def test_what_was_committed_outlives_an_immediate_stop(env: Environment, variant: str) -> None:
    with closing(through_the_proxy(env.servers)) as connection:
        number = answer(connection, "SELECT api.pay(1 + count(*)::int) FROM paid")
        fault = env.fault("postgres_immediate", variant)
        fault.begin()
        with pytest.raises(psycopg2.OperationalError):
            ask_for_ever(connection, "SELECT api.pay(0)")
        assert fault.fault.over.is_set()
        fault.end()
    with closing(through_the_proxy(env.servers)) as connection:
        assert answer(connection, f"SELECT count(*) FROM paid WHERE number = {number}") == 1


def test_an_immediate_stop_for_which_no_payment_came_happens_all_the_same(env: Environment) -> None:
    with closing(through_the_proxy(env.servers)) as connection:
        fault = env.fault("postgres_immediate", "in_commit")
        fault.begin()
        assert answer(connection, "SELECT 1") == 1
        assert not fault.fault.over.is_set()
        fault.end()
        with pytest.raises(psycopg2.OperationalError):
            answer(connection, "SELECT 1")


def test_a_frozen_server_answers_nobody_until_it_is_thawed(env: Environment) -> None:
    fault = env.fault("postgres_frozen")
    fault.begin()
    with pytest.raises(psycopg2.OperationalError, match="timeout"):
        psycopg2.connect(env.servers.variables()["DATABASE_URL"], connect_timeout=2)
    fault.end()
    with closing(through_the_proxy(env.servers)) as connection:
        assert answer(connection, "SELECT 1") == 1


def test_connections_are_cut(env: Environment) -> None:
    fault = env.fault("postgres_cut")
    with closing(through_the_proxy(env.servers)) as connection:
        fault.begin()
        with pytest.raises(psycopg2.OperationalError):
            ask_for_ever(connection, "SELECT 1")
        fault.end()


def test_a_rotated_password_is_first_changed_then_told(env: Environment) -> None:
    manager: Any = env.servers.clients().secrets
    manager.create_secret(Name="t/database/writer", SecretString='{"password": "old", "port": 1}')
    fault = env.fault("secret_rotated", "writer")
    fault.begin()
    with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
        env.servers.postgres.connect("billing_writer", "old")
    fault.end()
    told = json.loads(manager.get_secret_value(SecretId="t/database/writer")["SecretString"])
    assert told["port"] == 1
    env.servers.postgres.connect("billing_writer", told["password"]).close()


def test_the_clock_of_postgres_steps_back_and_returns(env: Environment) -> None:
    fault = env.fault("clock_back", "postgres")
    with closing(through_the_proxy(env.servers)) as connection:
        before = answer(connection, "SELECT clock_timestamp()")
        fault.begin()
        assert answer(connection, "SELECT clock_timestamp()") < before
        fault.end()
        now = answer(connection, "SELECT clock_timestamp()")
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
    assert fault.fault.report["seconds"] < 0


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


@pytest.mark.parametrize("name", ["redis_rejecting", "redis_hung"])
def test_an_absent_cache_answers_nothing(env: Environment, name: str) -> None:
    fault = env.fault(name)
    with cache(env.servers) as client:
        assert client.ping()
        fault.begin()
        with pytest.raises((redis.ConnectionError, redis.TimeoutError)):
            client.ping()
        fault.end()
        assert client.ping()


def test_a_flushed_cache_is_empty(env: Environment) -> None:
    with cache(env.servers) as client:
        client.set("a", "1")
        env.fault("redis_flushed").begin()
        assert client.dbsize() == 0


def test_an_old_cache_has_its_old_values(env: Environment) -> None:
    fault = env.fault("redis_old")
    with cache(env.servers) as client:
        client.set("a", "old")
        fault.begin()
        client.set("a", "new")
        fault.end()
        assert client.get("a") == b"old"


@pytest.mark.parametrize("variant", FAULTS["redis_lying"].variants)
def test_a_lying_cache_never_says_the_truth_for_long(env: Environment, variant: str) -> None:
    fault = env.fault("redis_lying", variant)
    with cache(env.servers) as client:
        client.flushall()
        client.mset({"a": "1", "b": "2"})
        fault.begin()
        client.mset({"a": "3", "b": "4"})
        heard = [(key, _said(client, key)) for key in ("a", "b") * 20]
        fault.end()
    assert any(said not in (("a", b"3"), ("b", b"4")) for said in heard)
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
        fault = env.fault(name, variant)
        fault.begin()
        assert len(proxy._rules) == 1
        fault.end()
        assert proxy._rules == []


def test_the_first_worker_at_the_step_is_killed_and_no_other(env: Environment) -> None:
    fault = env.fault("kill_at_step", "committed")
    fault.begin()
    pids = env.service.workers()
    for step, pid in [
        ("received", pids["utils-1"]),
        ("committed", os.getpid()),
        ("committed", None),
        ("committed", pids["payments-2"]),
        ("committed", pids["payments-1"]),
    ]:
        line: Any = type("Line", (), {"pid": pid})()
        env.servers.postgres_proxy._notify(StepEvent(step, line, operation="payments"))
    assert fault.fault.over.is_set()
    fault.end()
    assert env.service.dead() == {"payments-2"}
    assert fault.fault.report["killed"][0]["worker"] == "payments-2"


@pytest.mark.parametrize(
    ("variant", "victims"),
    [("workers", {"payments-1", "payments-2", "utils-1"}), ("gateway", {"gateway"})],
)
def test_workers_or_the_gateway_are_killed_at_random(
    env: Environment, variant: str, victims: set[str]
) -> None:
    fault = env.fault("kill_random", variant)
    fault.begin()
    fault.end()
    assert set(fault.fault.report["killed"]) == victims
    for name in victims:
        assert env.service.processes[name].wait(5) == -signal.SIGKILL


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


def test_a_server_is_reached_through_its_proxy_alone(servers: Servers) -> None:
    variables = servers.variables()
    proxies = (servers.postgres_proxy, servers.redis_proxy, servers.aws_proxy)
    urls = [variables[name] for name in ("DATABASE_URL", "REDIS_URL")]
    assert [port_of(url) for url in urls] == [proxy.port for proxy in proxies[:2]]
    assert variables["AWS_ENDPOINT_URL"].endswith(f":{proxies[2].port}")
