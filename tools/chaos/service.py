"""The service as `make up` starts it, on servers that the environment names."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tools.chaos.clock import Clock
from tools.local.processes import listens
from tools.local.service import service
from tools.local.settings import LOCAL_CREDENTIALS, REPOSITORY
from tools.local.stack import Stack

# Stands on PYTHONPATH; see the module in it.
PRELOAD = Path(__file__).with_name("preload")
# More than one worker a queue, so that one finds what another lost.
_WORKERS = ",".join(f"{one}={3 if one == 'payments' else 2}" for one in service().queues)
# Short, as a message is hidden for six times as long: what a killed worker held is to come back
# within the run. But a first call, which connects to everything, must be done in time on a busy
# machine, too, or no worker ever gets warm.
_TIMEOUTS_SECONDS = (3, 10)
_COLD_STARTS = 3
_SWEEP_SECONDS = 5
_START_SECONDS = 180.0
# Whose days are for many hours not those of UTC.
_TIME_ZONE = "Pacific/Auckland"


class Service(Stack):
    """The local stack with real worker processes, restarted when they die."""

    def __init__(self, state: Path, servers: Mapping[str, str]) -> None:
        self.clock = Clock(state.with_name("clock"))
        self.timeout_seconds = fitting_timeout(cold_start_seconds())
        own = {
            "BILLING_DURABLE": "1",
            "BILLING_FUNCTION_TIMEOUT": str(self.timeout_seconds),
            "BILLING_WORKERS": _WORKERS,
            "BILLING_SWEEP_SECONDS": str(_SWEEP_SECONDS),
            "BILLING_TIME_ZONE": _TIME_ZONE,
            "PYTHONPATH": str(PRELOAD),
            "COLUMNS": "200",
        }
        clock = {f"CHAOS_{name}": value for name, value in self.clock.variables.items()}
        variables = {**LOCAL_CREDENTIALS, **own, **clock, **servers}
        super().__init__(state, variables, start_seconds=_START_SECONDS)
        self.log = state.with_name("service.log")

    def is_reachable(self) -> bool:
        """Tell whether anybody listens at the gateway's port."""
        return listens(self.base_url)

    def workers(self) -> dict[str, int]:
        """Return the workers' process ids by name, as in payments-2."""
        pids = self.cloud.pids
        return {name: pids[name] for name in self.cloud.workers if name in pids and "-" in name}


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
