"""Real worker processes, forked from one that has imported everything: they start in a moment."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

import app  # noqa: F401 - imported before the fork; nothing is connected by that
from tools.local import worker
from tools.local.launch import die_with

_FORK_SERVER = multiprocessing.get_context("forkserver")
_FORK_SERVER.set_forkserver_preload(["__main__", __name__])


def start_worker(
    function: str, environment: Mapping[str, str], *, seconds: float, log: Path
) -> BaseProcess:
    """Start a worker of a function whose calls may take so many seconds."""
    process = _FORK_SERVER.Process(
        target=_become_worker, args=(function, dict(environment), seconds, log), daemon=True
    )
    process.start()
    return process


def _become_worker(
    function: str, environment: Mapping[str, str], seconds: float, log: Path
) -> None:
    """Run the worker as it is shipped, in an environment of its own."""
    die_with(os.getppid(), signal.SIGKILL)
    with log.open("ab") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    os.environ.clear()
    os.environ.update(environment)
    worker.main([function, "--timeout", str(seconds)])
