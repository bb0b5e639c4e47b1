"""Faults start as scheduled and always end; the command reports the result."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tools.chaos import __main__ as command
from tools.chaos import nemesis
from tools.chaos.checker import NAMES, Result, Violation
from tools.chaos.faults import Fault, FaultKind
from tools.chaos.nemesis import Nemesis
from tools.chaos.run import Run
from tools.chaos.schedule import ScheduledFault
from tools.chaos.service import fitting_timeout
from tools.local.errors import LocalStackError


class FakeService:
    """A service that is away at first, for so many looks."""

    def __init__(self) -> None:
        self.away = 0

    def is_reachable(self) -> bool:
        self.away -= 1
        return self.away < 0


class Recorded:
    """A nemesis whose only fault records what is done to it."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.notes: list[tuple[str, str, dict[str, Any]]] = []
        self.service = FakeService()

    def fault(self, fault: Fault) -> Iterator[None]:
        self.done.append(f"begin {fault.variant}")
        if fault.variant == "broken":
            raise RuntimeError("no")
        if fault.variant == "short":
            fault.over.set()
        fault.report["chance"] = fault.rng.random()
        yield
        self.done.append(f"end {fault.variant}")

    def run(self, *faults: ScheduledFault) -> None:
        servers: Any = None
        service: Any = self.service
        one = Nemesis(servers, service, lambda *note: self.notes.append(note))
        one.run(faults, seconds=0.3)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    recorded = Recorded()
    monkeypatch.setattr(nemesis, "FAULTS", {"quiet": FaultKind("quiet", recorded.fault)})
    return recorded


def scheduled(at: float, variant: str, seed: int = 1, until: float = 9) -> ScheduledFault:
    return ScheduledFault(at, until, "quiet", variant, seed)


def test_faults_begin_in_order_and_end_when_they_are_over_or_time_is_up(
    recorded: Recorded,
) -> None:
    recorded.run(scheduled(0.1, "short", seed=2), scheduled(0.05, "late"))
    assert recorded.done == ["begin late", "begin short", "end short", "end late"]
    assert [f"{phase} {at['variant']}" for _, phase, at in recorded.notes] == recorded.done
    assert recorded.notes[2][2]["chance"] == random.Random(2).random()


def test_a_fault_that_fails_ends_all_others(recorded: Recorded) -> None:
    with pytest.raises(RuntimeError, match="no"):
        recorded.run(scheduled(0, "a"), scheduled(0.1, "broken"))
    assert recorded.done == ["begin a", "begin broken", "end a"]


def test_time_stands_still_while_the_service_is_down(recorded: Recorded) -> None:
    recorded.service.away = 10
    recorded.run(scheduled(0.01, "late", until=0.02))
    assert recorded.done == ["begin late", "end late"]
    assert recorded.service.away < 0


def test_a_service_that_stays_away_ends_the_run(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nemesis, "_LONGEST_ABSENCE_SECONDS", 0.1)
    recorded.service.away = 1000
    with pytest.raises(LocalStackError, match="did not come back"):
        recorded.run(scheduled(0, "long"))
    assert recorded.done == ["begin long", "end long"]


def result(*violations: Violation, **missing: int) -> Result:
    return Result(violations, dict.fromkeys(NAMES, 7) | missing, NAMES)


BROKEN = Violation("I4", "r", "paid, yet not there", [])
# A worker was to be killed at a step twice, and nobody came there.
IDLE = replace(result(), strikes={"kill_at_step received": [0, 0], "sqs_late": [0, 3]})


@pytest.mark.parametrize(
    ("made", "more", "code", "words"),
    [
        (result(), [], 0, "Every invariant holds, with seed 77"),
        (result(I12=0), [], 0, "Every invariant holds"),
        (IDLE, [], 0, "kill_at_step received 0/2, sqs_late 1/2"),
        (IDLE, ["--seconds", "60"], 0, "Never took effect: kill_at_step received, kill_at_step"),
        (result(I4=0), [], 1, "There was nothing to check I4 on"),
        (result(I4=0), ["--only", "sqs_late"], 0, "Every invariant holds"),
        (result(*[BROKEN] * 9), [], 1, "paid, yet not there"),
        (LocalStackError("Postgres did not start"), [], 2, "Postgres did not start"),
        (KeyboardInterrupt(), [], 130, "Interrupted"),
    ],
)
def test_the_exit_code_and_the_last_lines_tell_the_outcome(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    made: Result | BaseException,
    more: list[str],
    code: int,
    words: str,
) -> None:
    def run(_: Run) -> Result:
        if isinstance(made, BaseException):
            raise made
        return made

    monkeypatch.setattr(Run, "result", run)
    assert command.main(["--folder", str(tmp_path / "run"), "--seed", "77", *more]) == code
    said = capsys.readouterr().out
    assert said.split("\n")[0].endswith("Seed 77")
    assert words in said
    assert ("Never took effect" in said) is ("--seconds" in more)
    assert ("python -m tools.chaos --seed 77 --seconds 30" in said) is (code != 0)


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    assert command.main(["--folder", str(tmp_path)]) == 2
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.parametrize(("cold_start", "timeout"), [(0.3, 3), (1.1, 4), (2, 6), (60, 10)])
def test_a_slow_machine_gives_its_functions_more_time(cold_start: float, timeout: int) -> None:
    assert fitting_timeout(cold_start) == timeout
