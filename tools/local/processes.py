"""Child processes that never outlive the process that started them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

Process = subprocess.Popen[bytes]
_LAUNCHER = Path(__file__).with_name("launch.py")


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    user: str = "",
    death_signal: int = signal.SIGKILL,
) -> Process:
    """Start a command in a process group of its own, its output appended to the log file.

    The kernel sends it `death_signal` when this process dies. `user` is whom to run as (only root
    can ask for it). Call it from a thread that lives as long as the process: to the kernel the
    parent is the thread.
    """
    launcher = [sys.executable, "-I", "-S", str(_LAUNCHER)]
    arguments = [str(os.getpid()), str(int(death_signal)), user, *map(str, command)]
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603  (the command comes from our own code)
            launcher + arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment) if environment is not None else None,
            cwd=folder,
            process_group=0,
        )


def signal_group(process: Process, number: int) -> None:
    """Send a signal to the child and to everything in its process group."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def stop(
    process: Process,
    *,
    signal_number: int = signal.SIGTERM,
    grace_seconds: float = 5.0,
    force_signal: int = signal.SIGKILL,
) -> None:
    """End the child: ask with the signal, and force its whole group when the grace is over."""
    if process.poll() is None:
        process.send_signal(signal_number)
    for number in (force_signal, signal.SIGKILL):
        try:
            process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            signal_group(process, number)
    # What it had started itself must not live on.
    signal_group(process, signal.SIGKILL)
    process.wait()


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Call `stop`, from a thread of its own, when this process is asked to end."""

    def end(_number: int, _frame: FrameType | None) -> None:
        # A server's shutdown() waits for serve_forever(), which the signal interrupts.
        threading.Thread(target=stop).start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)


def free_port(preferred: int | None = None) -> int:
    """Find a free TCP port on 127.0.0.1, the preferred one when nothing listens there."""
    for port in (preferred or 0, 0):
        with socket.socket() as probe:
            # As servers do: a port whose old connections are still closing is free to listen on.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no TCP port is free on 127.0.0.1")


def listens(url: str) -> bool:
    """Tell whether something takes connections at the URL's host and port."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), timeout=1).close()
    except OSError:
        return False
    return True
