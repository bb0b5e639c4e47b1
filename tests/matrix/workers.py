"""Real worker processes that start in a moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from tools.local.settings import REPOSITORY

_END_SECONDS = 10.0


class Worker:
    """A worker process: it may be killed, and is then gone for good."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)

    @property
    def is_running(self) -> bool:
        """Tell whether it has not ended yet."""
        return self._process.is_running()

    def kill(self) -> None:
        """End it as a lost machine would, and see that it is gone."""
        self.signal(signal.SIGKILL)
        self._process.wait(_END_SECONDS)

    def signal(self, number: int) -> None:
        """Send a signal; one that has ended gets none."""
        try:
            self._process.send_signal(number)
        except psutil.NoSuchProcess:
            return


class PreforkServer:
    """A process that has imported everything and forks workers; all of them end with it."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.matrix.prefork_server"],
                cwd=REPOSITORY,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def worker(
        self, function: str, environment: Mapping[str, str], *, seconds: float, log: Path
    ) -> Worker:
        """Start a worker of a function whose calls may take so many seconds."""
        arguments = [function, "--timeout", str(seconds)]
        order = {"arguments": arguments, "environment": dict(environment), "log": os.fspath(log)}
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        return Worker(int(process.stdout.readline()))

    def close(self) -> None:
        """End the server, and its workers with it."""
        self._process.kill()
        self._process.communicate()
