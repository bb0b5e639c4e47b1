"""The service as ``make up`` starts it, on servers that are told to it."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tools.chaos.clock import Clock
from tools.local.files import read_json
from tools.local.processes import listens
from tools.local.settings import LOCAL_CREDENTIALS, REPOSITORY
from tools.local.stack import Stack

# Stands on PYTHONPATH; see the module in it.
PRELOAD = Path(__file__).with_name("preload")
_START_SECONDS = 180.0
# More than one worker a queue, so that what one lost another finds.
_WORKERS = "auth=2,utils=2,histories=2,payments=3"
# Short, as a message is hidden for six times as long: what a killed worker held is to come back
# within the run. But a first call, which connects to everything, must be done in time on a busy
# machine, too, or no worker ever gets warm.
_TIMEOUTS_SECONDS = (3, 10)
_COLD_STARTS = 3
_SWEEP_SECONDS = 5


class Service(Stack):
    """The local stack with more workers, restarted when they die, under a clock of its own."""

    def __init__(self, state: Path, servers: Mapping[str, str]) -> None:
        self.clock = Clock(state.with_name("clock"))
        self.timeout_seconds = fitting_timeout(cold_start_seconds())
        super().__init__(state, {**self._settings(), **servers}, start_seconds=_START_SECONDS)
        self.log = state.with_name("service.log")

    def is_reachable(self) -> bool:
        """Tell whether anybody listens at the gateway's port."""
        return listens(self.base_url)

    def workers(self) -> dict[str, int]:
        """Return the workers' process ids by name, as in payments-2."""
        pids = self.cloud.pids
        return {name: pids[name] for name in self.cloud.workers if name in pids and "-" in name}

    @property
    def logs(self) -> Path:
        """Folder of all its logs."""
        return self.state / "logs"

    def role_passwords(self) -> dict[str, str]:
        """Return the passwords that the database's roles began with."""
        passwords: dict[str, str] = read_json(self.state / "roles.json")
        return passwords

    def _settings(self) -> dict[str, str]:
        clock = {f"TORTURE_{name}": value for name, value in self.clock.variables.items()}
        own = {
            "BILLING_DURABLE": "1",
            "BILLING_FUNCTION_TIMEOUT": str(self.timeout_seconds),
            "BILLING_WORKERS": _WORKERS,
            "BILLING_SWEEP_SECONDS": str(_SWEEP_SECONDS),
            "PYTHONPATH": str(PRELOAD),
            "COLUMNS": "200",
        }
        return LOCAL_CREDENTIALS | own | clock


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
