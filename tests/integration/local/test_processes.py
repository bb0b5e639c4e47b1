"""No child outlives whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from tools.local import processes
from tools.local.files import is_ready, mark_ready, write_private_json
from tools.local.settings import REPOSITORY

PARENT = """
import sys, time
from pathlib import Path
from tools.local import processes
child = processes.spawn([sys.executable, "-c", "import time; time.sleep(60)"], log=Path("{log}"))
print(child.pid, flush=True)
time.sleep(60)
"""


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_child_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    code = PARENT.format(log=tmp_path / "log")
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=REPOSITORY
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 10
    while runs(child):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_ending_a_child_ends_what_it_has_started(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = processes.spawn(["/bin/sh", "-c", "sleep 60 & echo $!; wait"], log=log)
    while not log.read_text():
        time.sleep(0.02)
    processes.stop(child, signal_number=signal.SIGTERM, grace_seconds=5)
    grandchild = int(log.read_text())
    deadline = time.monotonic() + 10
    while runs(grandchild):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_ctrl_c_in_the_terminal_does_not_reach_children(tmp_path: Path) -> None:
    child = processes.spawn(["/bin/sleep", "60"], log=tmp_path / "log")
    assert os.getpgid(child.pid) != os.getpgid(0)
    processes.stop(child, signal_number=signal.SIGTERM, grace_seconds=5)


def test_a_port_that_is_taken_is_not_offered_again() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert processes.free_port(port) != port
    assert processes.free_port(port) == port


def test_readiness_ends_with_the_process_that_told_it(tmp_path: Path) -> None:
    file = tmp_path / "worker.json"
    assert not is_ready(file)
    mark_ready(file)
    assert is_ready(file)
    with subprocess.Popen(["/bin/true"]) as ended:
        ended.wait()
    write_private_json(file, {"pid": ended.pid})
    assert not is_ready(file)
