"""A child process that is started again when it dies."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
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


@dataclass
class Child:
    """A process of the local stack: how to start and end it, and how to see that it is ready.

    `stop_group`: children with a lower number are ended later. `after_restart` runs when it is
    ready again after it has died.
    """

    name: str
    start: Callable[[], Process]
    log: Path
    is_ready: Callable[[], bool]
    stop_group: int
    stop_signal: int = signal.SIGTERM
    force_signal: int = signal.SIGKILL
    grace_seconds: float = 5.0
    after_restart: Callable[[], None] | None = None
    process: Process | None = None
    _exits: list[float] = field(default_factory=list)
    _start_at: float | None = None
    _recovering: bool = False

    def launch(self) -> None:
        """Start the process."""
        self._start_at = None
        self.process = self.start()

    def wait_until_ready(self, *, seconds: float) -> None:
        """Wait until it is ready.

        Raises:
            LocalStackError: It ended, or took longer; the text has the end of its log.
        """
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            if self.process is not None and self.process.poll() is not None:
                raise LocalStackError(f"{self.name} ended while it started.\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise LocalStackError(
                    f"{self.name} is not ready after {seconds:.0f} s.\n{self.log_tail()}"
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

    def pause(self) -> float | None:
        """Seconds until the next `poll`; None when only its end would matter."""
        if self._start_at is not None:
            return max(0.0, self._start_at - time.monotonic())
        return 0.1 if self._recovering else None

    def log_tail(self) -> str:
        """Return the end of its log, with where to read the rest."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join([*lines[-15:], f"(log: {self.log})"])

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


def stop_all(children: list[Child]) -> None:
    """End all children, those of the highest `stop_group` first, each within its grace."""
    for group in sorted({child.stop_group for child in children}, reverse=True):
        members = [child for child in children if child.stop_group == group]
        for child in members:
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(child.stop_signal)
        for child in members:
            if child.process is not None:
                processes.stop(
                    child.process,
                    signal_number=child.stop_signal,
                    grace_seconds=child.grace_seconds,
                    force_signal=child.force_signal,
                )
