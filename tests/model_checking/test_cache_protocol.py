"""The cache protocol under every interleaving of two readers, a writer and a failing Redis.

The readers are the shipped use cases; see README.md for the method and its bounds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from tests.model_checking.cache_checker import Checker, Protocols
from tests.model_checking.cache_ledger import Scenario, scenario
from tests.model_checking.cache_protocols import (
    delete_after_commit,
    read_history,
    set_if_newer,
    shipped,
    shipped_history,
    version_in_redis,
    version_read_apart,
    write_through,
)
from tests.model_checking.cache_redis import FAULTS, FaultyRedis, LyingRedis
from tests.model_checking.explorer import Explored
from tests.support.hypothesis_profiles import own_timeout, runs_long

pytestmark = pytest.mark.timeout(own_timeout(300))

Wrong = Callable[[Scenario], Protocols]


def holds(checked: Explored) -> Explored:
    """Fail with the shortest scenario that breaks a promise."""
    sys.stdout.write(f"{checked}\n")
    assert checked.counterexample is None, f"\n{checked.counterexample}"
    return checked


def breaks_i9(wrong: Wrong, *faults: str) -> str:
    """Return the shortest scenario in which a paid bill is shown as debt."""
    redis = FaultyRedis(frozenset(faults))
    found = Checker(wrong(scenario("pay_a")), redis, promises=["I9"]).explore().counterexample
    assert found is not None, f"{wrong.__name__} withstands {faults}"
    assert found.broken.startswith("I9: ")
    sys.stdout.write(f"{wrong.__name__} with {faults or 'no fault'}:\n{found}\n\n")
    return str(found)


def test_no_fault_of_redis_makes_a_read_show_what_is_paid_or_was_never_true() -> None:
    changes, under_way = (("pay_a", "reverse"), 2) if runs_long() else (("pay_a",), 1)
    redis = FaultyRedis(under_way=under_way)
    checked = holds(Checker(shipped(scenario(*changes)), redis).explore())
    assert checked.states > 30_000
    happened = " ".join(checked.moves)
    for trouble in (
        "sends set: lost",
        "sends set: late",
        "a late set arrives",
        "evicts",
        "is flushed",
        "is restored",
        "fails over",
        "times out",
        "is rejected",
        "reads garbage",
    ):
        assert trouble in happened


SCENARIOS: list[tuple[str, ...]] = [("pay_a", "reverse"), ("pay_a", "pay_b"), ("pay_a", "move_out")]
LONG_SCENARIOS: list[tuple[str, ...]] = [
    ("pay_a", "reverse", "pay_both"),
    ("pay_a", "pay_b", "move_out"),
]


@pytest.mark.parametrize("changes", SCENARIOS + (LONG_SCENARIOS if runs_long() else []))
def test_debts_withstand_a_redis_that_answers_whatever_it_was_ever_told(
    changes: tuple[str, ...],
) -> None:
    checked = holds(Checker(shipped(scenario(*changes)), LyingRedis()).explore())
    assert checked.states > 3_000
    assert {"reads version 7", "reads version 8"} <= set(checked.moves)


def test_a_history_withstands_a_redis_that_answers_whatever_it_was_ever_told() -> None:
    whole = shipped(scenario("pay_a", "reverse"), read_history(None))
    assert holds(Checker(whole, LyingRedis()).explore()).states > 10_000


def test_a_history_in_two_reads_is_that_of_one_moment() -> None:
    checked = holds(Checker(shipped_history(scenario("pay_a")), LyingRedis()).explore())
    assert checked.states > 5_000


# The checker has teeth, and does not cry wolf.


@pytest.mark.parametrize("wrong", [delete_after_commit, write_through, version_read_apart])
def test_these_protocols_show_paid_bills_even_without_a_fault(wrong: Wrong) -> None:
    told = breaks_i9(wrong)
    assert told.index("Ada pays") < told.index("and is answered") < told.rindex("asks Redis")


@pytest.mark.parametrize("fault", sorted(FAULTS - {"garbage"}))
@pytest.mark.parametrize("wrong", [set_if_newer, version_in_redis])
def test_these_protocols_stand_until_redis_fails_in_any_way(wrong: Wrong, fault: str) -> None:
    breaks_i9(wrong, fault)


@pytest.mark.parametrize("wrong", [set_if_newer, version_in_redis])
def test_without_a_fault_they_stand(wrong: Wrong) -> None:
    redis = FaultyRedis(frozenset())
    holds(Checker(wrong(scenario("pay_a")), redis, promises=["I9"]).explore())


def test_a_counterexample_can_be_read() -> None:
    assert [line[5:] for line in breaks_i9(delete_after_commit).splitlines()] == [
        "reader 1 asks Redis",
        "reader 1 is answered by Redis",
        "reader 1 reads the answer",
        "reader 1 asks the ledger for open debts",
        "the writer: Ada pays bill A",
        "the writer sends delete: done",
        "the writer: and is answered",
        "reader 1 sends set: done",
        "reader 1 asks Redis",
        "reader 1 is answered by Redis",
        "reader 1 reads the answer",
        (
            "I9: the payment was answered before the read began; it shows the bill of 2026-01-28"
            " as debt"
        ),
    ]
