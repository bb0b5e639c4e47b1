"""Starts the local stack in a process of its own, for tests and tools that use or kill it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from tools.local import processes
from tools.local.clients import Clients
from tools.local.cloud import Cloud, read_cloud
from tools.local.errors import LocalStackError
from tools.local.settings import REPOSITORY

_STOP_SECONDS = 40.0
_RESTART_SECONDS = 20.0
# Short, so that what a killed worker held comes back within a test: 6 x 3 s.
_QUICK = {"BILLING_DURABLE": "0", "BILLING_FUNCTION_TIMEOUT": "3"}
# The developer's own settings must not reach a service that is started for a test.
_FOREIGN = ("AWS_", "BILLING_", "DATABASE_URL", "REDIS_URL")


class Stack:
    """`python -m tools.local up` on a free port and a state folder of its own."""

    def __init__(
        self,
        state: Path,
        variables: Mapping[str, str] | None = None,
        *,
        start_seconds: float = 90.0,
    ) -> None:
        self.state = state
        self.port = processes.free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.log = state.with_name(f"{state.name}.out")
        self._variables = dict(variables or {})
        self._start_seconds = start_seconds
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is healthy.

        Raises:
            LocalStackError: It does not come up; the text has all that it said.
        """
        self._process = processes.spawn(
            [sys.executable, "-m", "tools.local", "up"],
            log=self.log,
            environment=self._environment(),
            folder=REPOSITORY,
            # It ends its children before it ends, however we end.
            death_signal=signal.SIGTERM,
        )
        try:
            self.wait_until_healthy()
        except BaseException:
            self.stop()
            raise

    def stop(self, number: int = signal.SIGINT) -> int:
        """End it with a signal, see that no process is left, and return its exit code.

        Raises:
            LocalStackError: It had to be killed, or has left processes behind.
        """
        if self._process is None:
            return 0
        family = self._family()
        process, self._process = self._process, None
        process.send_signal(number)
        try:
            code = process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # The kernel ends its children with it.
            process.kill()
            process.wait()
            raise LocalStackError(f"The service did not end. It said:\n{self.output()}") from None
        if survivors := left(family, seconds=5):
            raise LocalStackError(f"The service has left processes behind: {survivors}")
        return code

    def wait_until_healthy(self) -> None:
        """Wait until everything is ready, also after a fault.

        Raises:
            LocalStackError: It ended, or is not ready in time; the text has all that it said.
        """
        deadline = time.monotonic() + self._start_seconds
        while not (health := self.health()).get("ready"):
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise LocalStackError(f"The service is not up: {health}\n{self.output()}")
            time.sleep(0.1)

    def health(self) -> dict[str, Any]:
        """Return what `GET /health` says; empty when nobody answers."""
        try:
            answer: Any = urllib.request.urlopen(f"{self.base_url}/health", timeout=10)  # noqa: S310
        except urllib.error.HTTPError as error:
            # 503 while something is not ready: its body says what.
            answer = error
        except OSError:
            return {}
        with answer:
            content: dict[str, Any] = json.load(answer)
            return content

    def output(self) -> str:
        """Return the end of what it has printed."""
        return self.log.read_text(errors="replace")[-6000:]

    @property
    def cloud(self) -> Cloud:
        """Where its parts are now."""
        return read_cloud(self.state)

    @property
    def clients(self) -> Clients:
        """boto3 clients for its SQS, Cognito and Secrets Manager."""
        cloud = self.cloud
        return Clients(endpoint_url=cloud.aws_endpoint_url, region=cloud.region)

    @property
    def demo(self) -> dict[str, Any]:
        """Content of demo.json."""
        content: dict[str, Any] = json.loads((self.state / "demo.json").read_text("utf-8"))
        return content

    @contextmanager
    def database(self) -> Iterator[psycopg2.extensions.connection]:
        """Connect to its database as the owner, with autocommit."""
        connection = psycopg2.connect(self.cloud.database_url)
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.close()

    def kill(self, name: str) -> float:
        """SIGKILL a process (a name in cloud.json's pids) and wait for its successor.

        Returns after how many seconds the successor ran, which need not be ready by then.
        """
        victim, started = self.cloud.pids[name], time.monotonic()
        os.kill(victim, signal.SIGKILL)
        while self.cloud.pids[name] == victim:
            if time.monotonic() - started > _RESTART_SECONDS:
                raise LocalStackError(f"{name} was not started again")
            time.sleep(0.02)
        return time.monotonic() - started

    def _family(self) -> list[psutil.Process]:
        if self._process is None or self._process.poll() is not None:
            return []
        return psutil.Process(self._process.pid).children(recursive=True)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        own = {"PORT": str(self.port), "BILLING_STATE": str(self.state)}
        return kept | _QUICK | own | self._variables


def left(processes: list[psutil.Process], *, seconds: float) -> list[psutil.Process]:
    """Return those that still run after the time; ended ones that wait to be reaped don't."""
    _, alive = psutil.wait_procs(processes, timeout=0)
    deadline = time.monotonic() + seconds
    while (alive := [p for p in alive if _runs(p)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
