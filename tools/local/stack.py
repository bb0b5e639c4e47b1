"""Starts the local stack in a process of its own, for tests and tools that use or kill it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg2

from tools.local import processes
from tools.local.children import Child
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


class Stack(Child):
    """`python -m tools.local up` on a free port and a state folder of its own."""

    def __init__(
        self,
        state: Path,
        variables: Mapping[str, str] | None = None,
        *,
        start_seconds: float = 90.0,
    ) -> None:
        super().__init__("the service", state.with_name(f"{state.name}.out"))
        self.state = state
        self.port = processes.free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.start_seconds = start_seconds
        self._variables = dict(variables or {})

    def spawn(self) -> processes.Process:
        """Start it without waiting for it."""
        return processes.spawn(
            [sys.executable, "-m", "tools.local", "up"],
            log=self.log,
            environment=self._environment(),
            folder=REPOSITORY,
            # It ends its children before it ends, however we end.
            death_signal=signal.SIGTERM,
        )

    def is_ready(self) -> bool:
        """Tell whether all of its parts are ready, also after a fault."""
        return bool(self.health().get("ready"))

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            LocalStackError: It does not come up; the text has the end of what it said.
        """
        self.launch()
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self, number: int = signal.SIGINT) -> int:
        """End it with a signal, see that no process is left, and return its exit code.

        Raises:
            LocalStackError: It had to be killed, or has left processes behind.
        """
        if self.process is None:
            return 0
        family = self._family(self.process)
        process, self.process = self.process, None
        process.send_signal(number)
        try:
            code = process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # The kernel ends its children with it.
            process.kill()
            process.wait()
            raise LocalStackError(f"The service did not end. It said:\n{self.log_tail()}") from None
        if survivors := left(family, seconds=5):
            raise LocalStackError(f"The service has left processes behind: {survivors}")
        return code

    def health(self) -> dict[str, Any]:
        """Return what `GET /health` says; empty when nobody answers."""
        try:
            return dict(httpx.get(f"{self.base_url}/health", timeout=10).json())
        except httpx.TransportError:
            return {}

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

    def _family(self, process: processes.Process) -> list[psutil.Process]:
        try:
            return psutil.Process(process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

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
