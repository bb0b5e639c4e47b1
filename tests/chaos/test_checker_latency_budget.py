"""I12: reads while Redis is rejecting or hung, beside those while it is well."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos.run_builder import RunBuilder
from tools.chaos.checker.latency_budget import ENOUGH, RATIO

USUAL = 2.0
SLOW = USUAL * RATIO + 1


def read(run: RunBuilder, seconds: float, *, late: bool = False) -> None:
    """Read debts; the answer takes so long."""
    request_id = run.ask("utils", late=late)
    run.t = run.events[-2]["t"] + seconds - 1.0
    run.reply(request_id, run.debts(), op="utils")


def fault(run: RunBuilder, name: str, phase: str) -> None:
    run.event("fault", name=name, phase=phase, at={})


def run_with(
    name: str, *, then: float, count: int = ENOUGH, late: bool = False, other: float = 0.0
) -> RunBuilder:
    """Build a run of some reads without faults, and as many during a fault."""
    run = RunBuilder()
    for _ in range(count):
        read(run, USUAL)
        if other:
            read(run, other)
    fault(run, name, "begin")
    for _ in range(count):
        read(run, then, late=late)
    fault(run, name, "end")
    return run


@pytest.mark.parametrize(
    "run",
    [
        run_with("redis_hung", then=SLOW),
        run_with("redis_rejecting", then=SLOW),
        # Some reads that are slow for other reasons change nothing.
        run_with("redis_hung", then=SLOW, other=40.0),
    ],
)
def test_reads_that_wait_for_redis_are_found(run: RunBuilder) -> None:
    assert run.broken() == {"I12"}


def test_reads_that_waited_until_redis_came_back_are_found() -> None:
    run = RunBuilder()
    for _ in range(ENOUGH):
        read(run, USUAL)
    for _ in range(ENOUGH):
        fault(run, "redis_hung", "begin")
        request_id = run.ask("utils")
        fault(run, "redis_hung", "end")
        run.t += USUAL * RATIO
        run.reply(request_id, run.debts(), op="utils")
    assert run.broken() == {"I12"}


def test_a_fault_that_never_ended_counts() -> None:
    run = run_with("redis_hung", then=SLOW)
    run.events.pop()
    assert run.broken() == {"I12"}


@pytest.mark.parametrize(
    ("name", "options", "facts"),
    [
        # A little longer is fine.
        ("redis_hung", {"then": USUAL * RATIO - 1}, 1),
        # Another fault, too few reads and a client that polls late say nothing of Redis.
        ("postgres_frozen", {"then": 50.0}, 0),
        ("redis_hung", {"then": 50.0, "count": ENOUGH - 1}, 0),
        ("redis_hung", {"then": 50.0, "late": True}, 0),
    ],
)
def test_other_slow_reads_are_accepted(name: str, options: Any, facts: int) -> None:
    result = run_with(name, **options).result()
    assert (result.violations, result.facts["I12"]) == ([], facts)
