"""A child that dies is started again, and none outlives its parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.api import wait_until
from tools.local import children as module
from tools.local import processes
from tools.local.children import Child, describe_exit, restart_pause, stop_all
from tools.local.errors import LocalStackError
from tools.local.files import is_ready, mark_ready, write_private_json
from tools.local.settings import REPOSITORY

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP
TELLING = """
import signal, time
def end(*_):
    with open("{file}", "a") as file:
        print("{name}", file=file)
    raise SystemExit
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
time.sleep(60)
"""
PARENT = """
import sys, time
from pathlib import Path
from tools.local import processes
child = processes.spawn([sys.executable, "-c", "import time; time.sleep(60)"], log=Path("{log}"))
print(child.pid, flush=True)
time.sleep(60)
"""


class Script(Child):
    """A child that runs some Python; it is ready once it has said so."""

    def __init__(self, code: str, log: Path) -> None:
        super().__init__("child", log)
        self._code = code

    def spawn(self) -> processes.Process:
        return processes.spawn([sys.executable, "-c", self._code], log=self.log)

    def is_ready(self) -> bool:
        return self.process is not None and "up" in self.log_tail()


Make = Callable[[str], Script]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Script] = []

    def make(code: str) -> Script:
        made.append(Script(code, tmp_path / f"{len(made)}.log"))
        made[-1].launch()
        return made[-1]

    yield make
    stop_all(made)


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_killed_child_is_started_again_at_once_and_what_must_be_done_then_is_done(
    make: Make,
) -> None:
    child, done = make(SLEEP), list[bool]()
    child.after_restart = lambda: done.append(True)
    child.wait_until_ready()
    old = child.process
    assert old is not None
    old.kill()
    old.wait()
    assert child.poll() == "child ended (signal SIGKILL); starting it again"
    assert child.poll() is None
    assert child.process is not None
    assert child.process.pid != old.pid
    assert child.poll() == "child is back"
    assert (child.poll(), done) == (None, [True])


def test_the_more_it_dies_the_longer_the_pause() -> None:
    assert [restart_pause(exits) for exits in (1, 3, 4, 5, 20)] == [0.0, 0.0, 0.2, 0.4, 5.0]


def test_a_crash_loop_is_reported_with_the_end_of_the_log(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.0)
    child = make("import sys; sys.exit('no such variable: COLOUR')")
    lines: list[str] = []

    def reported() -> bool:
        lines.extend(line for line in [child.poll()] if line)
        return any("keeps ending (exit code 1)" in line for line in lines)

    wait_until(reported, "a report")
    assert "no such variable: COLOUR" in lines[-1]


def test_one_that_ends_while_it_starts_is_an_error_with_the_end_of_its_log(make: Make) -> None:
    with pytest.raises(LocalStackError, match="no such wheel"):
        make("import sys; sys.exit('no such wheel')").wait_until_ready()


def test_children_end_in_the_order_of_their_groups(make: Make, tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    children = [make(TELLING.format(file=ended, name=name)) for name in ("server", "worker")]
    for group, child in enumerate(children):
        child.stop_group = group
        child.wait_until_ready()
    stop_all(children)
    assert ended.read_text().split() == ["worker", "server"]


def test_a_child_that_does_not_end_in_time_is_killed(make: Make) -> None:
    child = make(STUBBORN)
    child.grace_seconds = 0.2
    child.wait_until_ready()
    process = child.process
    child.stop()
    assert process is not None
    assert process.returncode == -signal.SIGKILL


def test_a_call_that_took_too_long_is_told_as_such() -> None:
    assert describe_exit(-signal.SIGALRM) == "its function took longer than its timeout"


def test_a_child_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    code = PARENT.format(log=tmp_path / "log")
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=REPOSITORY
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    wait_until(lambda: not runs(child), "the child's end")


def test_ending_a_child_ends_what_it_has_started_and_a_ctrl_c_does_not_reach_it(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    child = processes.spawn(["/bin/sh", "-c", "sleep 60 & echo $!; wait"], log=log)
    assert os.getpgid(child.pid) != os.getpgid(0)
    grandchild = int(wait_until(log.read_text, "the grandchild"))
    processes.stop(child)
    wait_until(lambda: not runs(grandchild), "the grandchild's end")


def test_a_port_that_is_taken_is_not_offered_again() -> None:
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
