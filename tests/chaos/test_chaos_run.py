"""Strokes are played as planned and always end; the command tells what came of it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tools.chaos import __main__ as command
from tools.chaos import conductor
from tools.chaos.conductor import Conductor
from tools.chaos.errors import NotStarted
from tools.chaos.faults import Fault, Stage
from tools.chaos.judge import Verdict, Violation
from tools.chaos.plan import Stroke
from tools.chaos.run import Run
from tools.chaos.service import fitting_timeout

NOTHING: Any = None


class Quiet(Fault):
    """A fault that tells what is done to it."""

    name = "quiet"
    summary = "nothing"
    done: ClassVar[list[str]] = []

    def begin(self) -> None:
        self.done.append(f"begin {self.variant}")
        if self.variant == "broken":
            raise RuntimeError("no")

    def end(self) -> None:
        self.done.append(f"end {self.variant}")

    def over(self) -> bool:
        return self.variant == "short"

    def report(self) -> dict[str, Any]:
        return {"chance": self.rng.random()}


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, dict[str, Any]]]:
    monkeypatch.setattr(Quiet, "done", [])
    monkeypatch.setattr(conductor, "FAULTS", {"quiet": Quiet})
    return []


def play(notes: list[tuple[str, str, dict[str, Any]]], *strokes: Stroke) -> None:
    stage: Stage = NOTHING
    one = Conductor(
        stage, lambda name, phase, at: notes.append((name, phase, at)), reachable=lambda: True
    )
    one.play(strokes, seconds=0.3)


def test_strokes_begin_in_order_and_end_when_they_are_over_or_time_is_up(
    notes: list[tuple[str, str, dict[str, Any]]],
) -> None:
    late, short = Stroke(0.05, 9, "quiet", "late", 1), Stroke(0.1, 9, "quiet", "short", 2)
    play(notes, short, late)
    assert Quiet.done == ["begin late", "begin short", "end short", "end late"]
    assert [(phase, at["variant"]) for _, phase, at in notes] == [
        ("begin", "late"),
        ("begin", "short"),
        ("end", "short"),
        ("end", "late"),
    ]
    assert notes[2][2]["chance"] == random.Random(2).random()


def test_a_stroke_that_fails_ends_with_all_others(
    notes: list[tuple[str, str, dict[str, Any]]],
) -> None:
    with pytest.raises(RuntimeError, match="no"):
        play(notes, Stroke(0, 9, "quiet", "a", 1), Stroke(0.1, 9, "quiet", "broken", 1))
    assert Quiet.done == ["begin a", "begin broken", "end a", "end broken"]


def test_no_stroke_is_wasted_on_a_service_that_is_down(
    notes: list[tuple[str, str, dict[str, Any]]],
) -> None:
    answers = iter([False] * 10)
    stage: Stage = NOTHING
    looks: list[int] = []

    def reachable() -> bool:
        looks.append(len(notes))
        return next(answers, True)

    one = Conductor(
        stage, lambda name, phase, at: notes.append((name, phase, at)), reachable=reachable
    )
    one.play([Stroke(0.01, 0.02, "quiet", "late", 1)], seconds=0.1)
    assert looks[:10] == [0] * 10
    assert Quiet.done == ["begin late", "end late"]


def test_a_service_that_stays_away_ends_the_run(
    notes: list[tuple[str, str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conductor, "_LONGEST_ABSENCE_SECONDS", 0.1)
    stage: Stage = NOTHING
    one = Conductor(stage, lambda *note: notes.append(note), reachable=lambda: False)
    with pytest.raises(NotStarted, match="did not come back"):
        one.play([Stroke(0, 9, "quiet", "long", 1)], seconds=1)
    assert Quiet.done == ["begin long", "end long"]


def facts(**missing: int) -> dict[str, int]:
    return {f"I{number}": 7 for number in range(1, 13)} | missing


def outcome(monkeypatch: pytest.MonkeyPatch, made: Verdict | BaseException) -> Any:
    def judged(_: Run) -> Verdict:
        if isinstance(made, BaseException):
            raise made
        return made

    monkeypatch.setattr(Run, "judged", judged)
    return lambda folder, *more: command.main(["--folder", str(folder), "--seed", "77", *more])


BROKEN = Violation("I4", "r", "paid, yet not there", [])


@pytest.mark.parametrize(
    ("made", "more", "code", "words"),
    [
        (Verdict([], facts()), [], 0, "Every promise was kept, with seed 77"),
        (Verdict([], facts(I12=0)), [], 0, "Every promise was kept"),
        (Verdict([], facts(I4=0)), [], 1, "Nothing was there to judge I4 on"),
        (Verdict([], facts(I4=0)), ["--only", "sqs_late"], 0, "Every promise was kept"),
        (Verdict([BROKEN] * 9, facts()), [], 1, "paid, yet not there"),
        (NotStarted("Postgres did not start"), [], 2, "Postgres did not start"),
        (KeyboardInterrupt(), [], 130, "Interrupted"),
    ],
)
def test_the_exit_code_and_the_last_words_say_what_came_of_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    made: Verdict | BaseException,
    more: list[str],
    code: int,
    words: str,
) -> None:
    assert outcome(monkeypatch, made)(tmp_path / "run", *more) == code
    said = capsys.readouterr().out
    assert said.split("\n")[0].endswith("Seed 77")
    assert words in said
    assert ("python -m tools.chaos --seed 77 --seconds 30 --clients 8" in said) is (code != 0)


def test_a_folder_with_something_else_in_it_is_left_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    assert command.main(["--folder", str(tmp_path)]) == 2
    assert "holds something else" in capsys.readouterr().out
    assert (tmp_path / "thesis.txt").exists()


def test_an_unknown_fault_is_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["--only", "earthquake"])
    assert ended.value.code == 2
    assert "earthquake" in capsys.readouterr().err


@pytest.mark.parametrize(("cold_start", "timeout"), [(0.3, 3), (1.1, 4), (2, 6), (60, 10)])
def test_a_slow_machine_gives_its_functions_more_time(cold_start: float, timeout: int) -> None:
    assert fitting_timeout(cold_start) == timeout
