"""A child that dies is started again, at once at first and with pauses when it goes on dying."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.local import children as module
from tools.local import processes
from tools.local.children import Child, describe_exit, restart_pause, stop_all
from tools.local.errors import LocalStackError

SLEEP = "import time; time.sleep(60)"
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('up', flush=True)
time.sleep(60)
"""
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
Make = Callable[..., Child]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Child] = []

    def make(code: str, *, stop_group: int = 0, grace_seconds: float = 5.0) -> Child:
        log = tmp_path / f"{len(made)}.log"
        child = Child(
            name="child",
            start=lambda: processes.spawn([sys.executable, "-c", code], log=log),
            log=log,
            is_ready=lambda: child.process is not None and child.process.poll() is None,
            stop_group=stop_group,
            grace_seconds=grace_seconds,
        )
        made.append(child)
        return child

    yield make
    stop_all(made)


def wait_for_word(child: Child) -> None:
    """Wait until a child has said that it listens to signals."""
    while "up" not in child.log_tail():
        time.sleep(0.02)


def kill(child: Child) -> int:
    assert child.process is not None
    child.process.kill()
    child.process.wait()
    return child.process.pid


def test_a_killed_child_is_started_again_at_once(make: Make) -> None:
    child = make(SLEEP)
    child.launch()
    old = kill(child)
    assert child.poll() == "child ended (signal SIGKILL); starting it again"
    child.poll()
    assert child.process is not None
    assert child.process.pid != old
    assert child.poll() == "child is back"


def test_what_must_be_done_after_a_restart_is_done_once_it_is_ready(make: Make) -> None:
    child, done = make(SLEEP), []
    child.after_restart = lambda: done.append(True)
    child.launch()
    assert child.poll() is None
    kill(child)
    for _ in range(3):
        child.poll()
    assert done == [True]


def test_the_more_it_dies_the_longer_the_pause() -> None:
    assert [restart_pause(exits) for exits in (1, 3, 4, 5, 20)] == [0.0, 0.0, 0.2, 0.4, 5.0]


def test_a_crash_loop_is_reported_with_the_end_of_the_log(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.0)
    child = make("import sys; sys.exit('no such variable: COLOUR')")
    child.launch()
    lines: list[str] = []
    deadline = time.monotonic() + 20
    while not any("keeps ending (exit code 1)" in line for line in lines):
        assert time.monotonic() < deadline
        lines += [line for line in [child.poll()] if line]
    assert "no such variable: COLOUR" in lines[-1]


def test_one_that_ends_while_it_starts_is_an_error_with_the_end_of_its_log(make: Make) -> None:
    child = make("import sys; sys.exit('no such wheel')")
    child.is_ready = lambda: False
    child.launch()
    with pytest.raises(LocalStackError, match="no such wheel"):
        child.wait_until_ready(seconds=20)


def test_children_end_in_the_order_of_their_groups(make: Make, tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    children = []
    for group, name in enumerate(("server", "worker")):
        child = make(TELLING.format(file=ended, name=name), stop_group=group)
        child.launch()
        children.append(child)
    for child in children:
        wait_for_word(child)
    stop_all(children)
    assert ended.read_text().split() == ["worker", "server"]


def test_a_child_that_does_not_end_in_time_is_killed(make: Make) -> None:
    child = make(STUBBORN, grace_seconds=0.2)
    child.launch()
    wait_for_word(child)
    stop_all([child])
    assert child.process is not None
    assert child.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (3, "exit code 3"),
        (-signal.SIGKILL, "signal SIGKILL"),
        (-signal.SIGALRM, "its function took longer than its timeout"),
    ],
)
def test_the_reason_for_an_exit_is_given_in_words(code: int, said: str) -> None:
    assert describe_exit(code) == said
