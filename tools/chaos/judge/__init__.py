"""Judges a run by its recorded history and the evidence left behind; knows nothing of the code.

for violation in judge(history_path, final_path): print(render(violation))
verdict = assess(load(history_path, final_path)); print(verdict)  # with facts by invariant
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tools.chaos.judge.answers import request_answered
from tools.chaos.judge.case import Case, load
from tools.chaos.judge.fresh import paid_is_no_debt
from tools.chaos.judge.leaks import nothing_personal_in_logs
from tools.chaos.judge.ledger import (
    bill_open_or_paid,
    bill_paid_once,
    history_without_gap,
    payment_adds_up,
)
from tools.chaos.judge.pace import cache_never_stalls
from tools.chaos.judge.paid import paid_is_durable, paid_was_never_rejected
from tools.chaos.judge.privacy import private
from tools.chaos.judge.story import render, story
from tools.chaos.judge.synced import sync_is_history
from tools.chaos.judge.verdict import NAMES, Facts, Finding, Verdict, Violation

__all__ = ["CHECKS", "NAMES", "Case", "Verdict", "Violation", "assess", "judge", "load", "render"]

# A bug that breaks a promise a thousand times is told as well by some of them, and much faster.
_WHOLE_STORIES = 40

CHECKS: Mapping[str, Callable[[Case], Facts]] = {
    "I1": bill_paid_once,
    "I2": payment_adds_up,
    "I3": bill_open_or_paid,
    "I4": paid_is_durable,
    "I5": request_answered,
    "I6": paid_was_never_rejected,
    "I7": private,
    "I8": history_without_gap,
    "I9": paid_is_no_debt,
    "I10": sync_is_history,
    "I11": nothing_personal_in_logs,
    "I12": cache_never_stalls,
}


def judge(history_path: Path, final_path: Path) -> list[Violation]:
    """Return every violation of a run, each with its story."""
    return list(assess(load(history_path, final_path)).violations)


def assess(case: Case) -> Verdict:
    """Return the verdict on a case: violations, and on how many facts each promise was judged."""
    rulings = {name: list(check(case)) for name, check in CHECKS.items()}
    violations = [
        _violation(case, name, finding, with_all=number < _WHOLE_STORIES)
        for name, facts in rulings.items()
        for number, finding in enumerate(one for one in facts if one is not None)
    ]
    return Verdict(violations, {name: len(facts) for name, facts in rulings.items()})


def _violation(case: Case, name: str, finding: Finding, *, with_all: bool) -> Violation:
    told = story(case, finding) if with_all else finding.events
    return Violation(name, finding.request_id, finding.text, told)
