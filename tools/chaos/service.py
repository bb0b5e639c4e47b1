"""The service as ``make up`` starts it, on servers that are told to it."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tools.chaos.clock import Clock
from tools.chaos.errors import NotStarted
from tools.local import processes
from tools.local.cloud import Cloud, read_cloud
from tools.local.files import read_json
from tools.local.servers import listens
from tools.local.settings import LOCAL_CREDENTIALS, REPOSITORY

# Stands on PYTHONPATH; see the module in it.
PRELOAD = Path(__file__).with_name("preload")
_START_SECONDS = 180.0
_STOP_SECONDS = 40.0
# More than one worker a queue, so that what one lost another finds.
_WORKERS = "auth=2,utils=2,histories=2,payments=3"
# Short, as a message is hidden for six times as long: what a killed worker held is to come back
# within the run. But a first call, which connects to everything, must be done in time on a busy
# machine, too, or no worker ever gets warm.
_TIMEOUTS_SECONDS = (3, 10)
_COLD_STARTS = 3
_SWEEP_SECONDS = 5


class Service:
    """`python -m tools.local up` with real worker processes, restarted when they die."""

    def __init__(self, state: Path, servers: Mapping[str, str]) -> None:
        self._state = state
        self._servers = servers
        self.clock = Clock(state.with_name("clock"))
        self.output = state.with_name("service.log")
        self.timeout_seconds = fitting_timeout(cold_start_seconds())
        self._port = processes.free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.base_url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and wait until it is healthy; raises NotStarted with what it said."""
        self._process = processes.spawn(
            [sys.executable, "-m", "tools.local", "up"],
            log=self.output,
            environment=self._environment(),
            folder=REPOSITORY,
            # It ends its children before it ends, however we end.
            death_signal=signal.SIGTERM,
        )
        self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        """Wait until everything is ready, also after faults; raises NotStarted."""
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_healthy():
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise NotStarted(f"The service is not up. It said:\n{self._last_words()}")
            time.sleep(0.2)

    def stop(self) -> None:
        """End it and all its processes."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # The kernel ends its children with it.
            self._process.kill()
            self._process.wait()
        self._process = None

    def is_reachable(self) -> bool:
        """Tell whether anybody listens at the gateway's port."""
        return listens(self.base_url)

    @property
    def cloud(self) -> Cloud:
        """Where its parts are now."""
        return read_cloud(self._state)

    def workers(self) -> dict[str, int]:
        """Return the workers' process ids by name, as in payments-2."""
        pids = self.cloud.pids
        return {name: pids[name] for name in self.cloud.workers if name in pids and "-" in name}

    @property
    def logs(self) -> Path:
        """Folder of all its logs."""
        return self._state / "logs"

    def role_passwords(self) -> dict[str, str]:
        """Return the passwords that the database's roles began with."""
        passwords: dict[str, str] = read_json(self._state / "roles.json")
        return passwords

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base_url}/health", timeout=10) as answer:  # noqa: S310
                return bool(json.load(answer)["ready"])
        except OSError:
            return False

    def _last_words(self) -> str:
        return self.output.read_text(errors="replace")[-3000:]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        clock = {f"TORTURE_{name}": value for name, value in self.clock.variables.items()}
        own = {
            "PORT": str(self._port),
            "BILLING_STATE": str(self._state),
            "BILLING_FUNCTION_TIMEOUT": str(self.timeout_seconds),
            "BILLING_WORKERS": _WORKERS,
            "BILLING_SWEEP_SECONDS": str(_SWEEP_SECONDS),
            "PYTHONPATH": str(PRELOAD),
            "COLUMNS": "200",
        }
        return kept | LOCAL_CREDENTIALS | own | clock | dict(self._servers)


def cold_start_seconds() -> float:
    """Measure how long it takes here, now, to import the functions."""
    started = time.monotonic()
    command = [sys.executable, "-c", "import app, tools.local.worker"]
    environment = {**os.environ, "AWS_REGION": "eu-central-1"}
    subprocess.run(command, cwd=REPOSITORY, env=environment, check=True)  # noqa: S603
    return time.monotonic() - started


def fitting_timeout(cold_start: float) -> int:
    """Return the seconds that a call may take, for a machine that imports in so many."""
    shortest, longest = _TIMEOUTS_SECONDS
    return min(longest, max(shortest, math.ceil(_COLD_STARTS * cold_start)))
