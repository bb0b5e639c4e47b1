"""A Postgres that still runs on our data, or left its process id there, from an earlier start."""

import signal
from pathlib import Path

import psutil

from tools.local.errors import LocalCloudError

_PATIENCE_SECONDS = 20


def end_leftover(data: Path) -> None:
    """End a server that still runs on the data folder, and forget one that is long gone.

    After a kill the process id in ``postmaster.pid`` may by now be that of another program, for
    which Postgres would reject to start. Raises LocalCloudError when a server doesn't end.
    """
    note = data / "postmaster.pid"
    pid = _noted_pid(note)
    if pid is None:
        return
    server = _running_postgres(pid)
    if server is None:
        note.unlink(missing_ok=True)
    else:
        _end(server)


def _noted_pid(note: Path) -> int | None:
    try:
        return int(note.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _running_postgres(pid: int) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        gone = process.status() == psutil.STATUS_ZOMBIE
        return None if gone or "postgres" not in process.name() else process
    except psutil.NoSuchProcess:
        return None


def _end(server: psutil.Process) -> None:
    try:
        # Fast shutdown. It may be under way already, when its supervisor was killed just now.
        server.send_signal(signal.SIGINT)
        server.wait(_PATIENCE_SECONDS)
    except psutil.NoSuchProcess:
        return
    except (psutil.AccessDenied, psutil.TimeoutExpired) as error:
        raise LocalCloudError(
            f"Another Postgres, process {server.pid}, uses this data folder and does not end. End"
            f" it (`kill -INT {server.pid}`) and start again."
        ) from error
