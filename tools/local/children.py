"""A child process that is started again when it dies."""

from __future__ import annotations

import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.local import processes
from tools.local.errors import LocalStackError
from tools.local.processes import Process

# A crash now and then is forgiven at once; the more within this time, the longer the pause.
_WINDOW_SECONDS = 30.0
_FREE_RESTARTS = 3
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
_CRASH_LOOP = 8


class Child(ABC):
    """A process of the local stack: how to start and end it, and how to see that it is ready."""

    stop_group: int = 0
    """Children with a lower number are ended later."""
    stop_signal: int = signal.SIGTERM
    force_signal: int = signal.SIGKILL
    grace_seconds: float = 5.0
    start_seconds: float = 60.0
    after_restart: Callable[[], None] | None = None
    """Runs when it is ready again after it has died."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self.process: Process | None = None
        self._exits: list[float] = []
        self._start_at: float | None = None
        self._recovering = False

    @abstractmethod
    def spawn(self) -> Process:
        """Start the process without waiting for it."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Tell whether it does its work."""

    def launch(self) -> None:
        """Start the process."""
        self._start_at = None
        self.process = self.spawn()

    def wait_until_ready(self) -> None:
        """Wait until it is ready.

        Raises:
            LocalStackError: It ended, or took too long; the text has the end of its log.
        """
        deadline = time.monotonic() + self.start_seconds
        while not self.is_ready():
            if self.process is not None and self.process.poll() is not None:
                raise LocalStackError(f"{self.name} ended while it started.\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise LocalStackError(
                    f"{self.name} is not ready after {self.start_seconds:.0f} s.\n{self.log_tail()}"
                )
            time.sleep(0.05)

    def poll(self) -> str | None:
        """Notice the end of the process, and start it again when it is due.

        Returns:
            A line to show when something happened.
        """
        if self._start_at is not None:
            if time.monotonic() >= self._start_at:
                self.launch()
        elif self.process is not None and self.process.poll() is not None:
            # What it had started itself must not live on beside its successor.
            processes.signal_group(self.process, signal.SIGKILL)
            return self._note_exit(self.process.returncode)
        elif self._recovering and self.is_ready():
            self._recovering = False
            if self.after_restart is not None:
                self.after_restart()
            return f"{self.name} is back"
        return None

    def log_tail(self) -> str:
        """Return the end of its log, with where to read the rest."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join([*lines[-15:], f"(log: {self.log})"])

    def stop(self) -> int:
        """End it within its grace, and return its exit code; 0 when it doesn't run."""
        if self.process is None:
            return 0
        process, self.process = self.process, None
        processes.stop(
            process,
            signal_number=self.stop_signal,
            grace_seconds=self.grace_seconds,
            force_signal=self.force_signal,
        )
        return process.returncode

    def force(self) -> None:
        """End it now, without grace."""
        if self.process is not None:
            processes.signal_group(self.process, self.force_signal)

    def _note_exit(self, code: int) -> str:
        now = time.monotonic()
        self._exits = [at for at in self._exits if now - at < _WINDOW_SECONDS] + [now]
        self._start_at = now + restart_pause(len(self._exits))
        self._recovering = True
        if len(self._exits) == _CRASH_LOOP:
            return (
                f"{self.name} keeps ending ({describe_exit(code)}); trying again every"
                f" {_LONGEST_PAUSE_SECONDS:.0f} s.\n{self.log_tail()}"
            )
        return f"{self.name} ended ({describe_exit(code)}); starting it again"


def restart_pause(exits: int) -> float:
    """Return the seconds before the next start after so many recent ends."""
    extra = exits - _FREE_RESTARTS
    pause = _FIRST_PAUSE_SECONDS * 2 ** (extra - 1) if extra > 0 else 0.0
    return float(min(_LONGEST_PAUSE_SECONDS, pause))


def describe_exit(code: int) -> str:
    """Say how a process ended, by its return code."""
    if code == -signal.SIGALRM:
        return "its function took longer than its timeout"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def stop_all(children: Sequence[Child]) -> None:
    """End all children, those of the highest `stop_group` first, each within its grace."""
    for group in sorted({child.stop_group for child in children}, reverse=True):
        members = [child for child in children if child.stop_group == group]
        for child in members:
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(child.stop_signal)
        for child in members:
            child.stop()
