"""I12: reads while Redis is rejecting or hung, beside those while it is well."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos.run_builder import RunBuilder
from tools.chaos.checker.latency_budget import ENOUGH, RATIO, SLOW_RATIO

USUAL = 2.0
SLOW = USUAL * RATIO + 1


def read(run: RunBuilder, seconds: float, *, late: bool = False, ends: str | None = None) -> None:
    """Read debts; the answer takes so long. A fault may end meanwhile."""
    request_id = run.ask("utils", late=late)
    if ends is not None:
        run.event("fault", name=ends, phase="end", at={})
    run.t = run.sent[request_id]["t"] + seconds - 1.0
    run.reply(request_id, run.debts())


def run_with(
    fault: str,
    *,
    then: float,
    count: int = ENOUGH,
    late: bool = False,
    other: float = USUAL,
    quick: int = 0,
) -> RunBuilder:
    """Build a run of reads without faults, and as many that begin during a fault each.

    Those take `then` seconds, but for the first few that are as quick as ever.
    """
    run = RunBuilder()
    for _ in range(count):
        read(run, USUAL)
        read(run, other)
    for number in range(count):
        run.event("fault", name=fault, phase="begin", at={})
        # The last one lasts to the end of the run.
        seconds = USUAL if number < quick else then
        read(run, seconds, late=late, ends=fault if number < count - 1 else None)
    return run


@pytest.mark.parametrize("fault", ["redis_hung", "redis_rejecting"])
# Some reads that are slow for other reasons change nothing.
@pytest.mark.parametrize("other", [USUAL, 40.0])
def test_reads_that_wait_for_redis_are_found(fault: str, other: float) -> None:
    assert run_with(fault, then=SLOW, other=other).broken() == {"I12"}


def test_a_few_slow_reads_are_found() -> None:
    assert run_with("redis_hung", then=SLOW, quick=ENOUGH - 3).broken() == {"I12"}


@pytest.mark.parametrize(
    ("fault", "options", "facts"),
    [
        # A little longer is fine.
        ("redis_hung", {"then": USUAL * SLOW_RATIO - 0.5}, 1),
        # Another fault, too few reads and a client that polls late say nothing of Redis.
        ("postgres_frozen", {"then": 50.0}, 0),
        ("redis_hung", {"then": 50.0, "count": ENOUGH - 1}, 0),
        ("redis_hung", {"then": 50.0, "late": True}, 0),
        # Two of them are slow for other reasons.
        ("redis_hung", {"then": 50.0, "quick": ENOUGH - 2}, 1),
    ],
)
def test_other_slow_reads_are_accepted(fault: str, options: Any, facts: int) -> None:
    result = run_with(fault, **options).result()
    assert (result.violations, result.facts["I12"]) == ([], facts)
