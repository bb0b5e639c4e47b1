"""I12: reads while Redis is rejected or hung, beside those while it is well."""

from __future__ import annotations

from tests.support.tales import Tale
from tools.chaos.judge.pace import ENOUGH, RATIO


def read(tale: Tale, seconds: float, *, late: bool = False) -> None:
    """Read debts; the answer takes so long."""
    request_id = tale.ask("utils", late=late)
    tale.t = tale.events[-2]["t"] + seconds - 1.0
    tale.reply(request_id, tale.debts_data(), op="utils")


def fault(tale: Tale, name: str, phase: str) -> None:
    tale.tell("fault", name=name, phase=phase, at={})


def run(name: str, *, usual: float, then: float, count: int = ENOUGH, late: bool = False) -> Tale:
    """Return a tale of some reads without faults, and as many under a fault."""
    tale = Tale()
    for _ in range(count):
        read(tale, usual)
    fault(tale, name, "begin")
    for _ in range(count):
        read(tale, then, late=late)
    fault(tale, name, "end")
    return tale


def test_i12_reads_that_wait_for_a_hung_redis() -> None:
    assert run("redis_hung", usual=2.0, then=2.0 * RATIO + 1).broken() == {"I12"}


def test_i12_reads_that_try_a_rejected_redis_again_and_again() -> None:
    assert run("redis_refused", usual=2.0, then=2.0 * RATIO + 1).broken() == {"I12"}


def test_i12_reads_that_waited_for_redis_to_come_back() -> None:
    tale = Tale()
    for _ in range(ENOUGH):
        read(tale, 2.0)
    for _ in range(ENOUGH):
        fault(tale, "redis_hung", "begin")
        tale.ask("utils")
        fault(tale, "redis_hung", "end")
        tale.t += 2.0 * RATIO
        tale.reply(f"request-{len(tale.case().history.requests)}", tale.debts_data(), op="utils")
    assert tale.broken() == {"I12"}


def test_i12_a_fault_that_never_ended_counts() -> None:
    tale = run("redis_hung", usual=2.0, then=2.0 * RATIO + 1)
    tale.events.pop()
    assert tale.broken() == {"I12"}


def test_reads_that_take_a_little_longer_are_fine() -> None:
    verdict = run("redis_hung", usual=2.0, then=2.0 * RATIO - 1).verdict()
    assert (verdict.violations, verdict.facts["I12"]) == ([], 1)


def test_some_slow_reads_for_other_reasons_change_nothing() -> None:
    tale = Tale()
    for _ in range(ENOUGH):
        read(tale, 2.0)
        read(tale, 40.0)
    fault(tale, "redis_hung", "begin")
    for _ in range(ENOUGH):
        read(tale, 2.0 * RATIO + 1)
    fault(tale, "redis_hung", "end")
    assert tale.broken() == {"I12"}


def test_slow_reads_under_another_fault_say_nothing_of_redis() -> None:
    verdict = run("postgres_frozen", usual=2.0, then=50.0).verdict()
    assert (verdict.violations, verdict.facts["I12"]) == ([], 0)


def test_too_few_reads_say_nothing() -> None:
    verdict = run("redis_hung", usual=2.0, then=50.0, count=ENOUGH - 1).verdict()
    assert (verdict.violations, verdict.facts["I12"]) == ([], 0)


def test_who_polls_late_says_nothing_of_the_service() -> None:
    verdict = run("redis_hung", usual=2.0, then=50.0, late=True).verdict()
    assert (verdict.violations, verdict.facts["I12"]) == ([], 0)
