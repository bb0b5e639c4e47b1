"""Checks a run by its recorded history and what it left behind; imports nothing of the product.

result = check(load(folder)); print(result)
for violation in result.violations: print(render(violation))
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping

from tools.chaos.checker.answers import request_answered
from tools.chaos.checker.consistency import (
    bill_open_or_paid,
    bill_paid_once,
    history_without_gap,
    payment_adds_up,
)
from tools.chaos.checker.counterexample import counterexample, render
from tools.chaos.checker.durability import paid_is_durable, paid_was_never_rejected
from tools.chaos.checker.isolation import private
from tools.chaos.checker.latency_budget import cache_never_stalls
from tools.chaos.checker.leaks import nothing_personal_in_logs
from tools.chaos.checker.reads import paid_is_no_debt
from tools.chaos.checker.result import Facts, Result, Violation
from tools.chaos.checker.run_record import RunRecord, load
from tools.chaos.checker.sync import sync_is_history

__all__ = ["CHECKS", "NAMES", "Result", "RunRecord", "Violation", "check", "load", "render"]

# A bug that breaks an invariant a thousand times shows as well in some of them, and much faster.
_WITH_COUNTEREXAMPLE = 40

CHECKS: Mapping[str, Callable[[RunRecord], Facts]] = {
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
# Tests, docs and alarms share these names.
NAMES = {number: check.__name__ for number, check in CHECKS.items()}


def check(run: RunRecord, *, only: Collection[str] = CHECKS) -> Result:
    """Return the violations in a run, and on how many facts each invariant was checked."""
    facts = {number: list(one(run)) for number, one in CHECKS.items() if number in only}
    violations = []
    for number, found in facts.items():
        for count, one in enumerate(finding for finding in found if finding is not None):
            events = counterexample(run, one) if count < _WITH_COUNTEREXAMPLE else one.events
            violations.append(Violation(number, one.request_id, one.text, events))
    counts = {number: len(found) for number, found in facts.items()}
    return Result(violations, counts, NAMES, _strikes(run))


def _strikes(run: RunRecord) -> dict[str, list[int]]:
    strikes: dict[str, list[int]] = defaultdict(list)
    for event in run.history.of("fault"):
        if event["phase"] == "end":
            name = f"{event['name']} {event['at'].get('variant', '')}".strip()
            strikes[name].append(event["at"].get("struck", 1))
    return strikes
