"""A schedule is decided by its seed and leaves no fault out; the page lists every fault."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from tools.chaos.faults import FAULTS
from tools.chaos.proxies.tcp import STEPS
from tools.chaos.schedule import ScheduledFault, schedule
from tools.local.settings import REPOSITORY

each_seed = pytest.mark.parametrize("seed", range(12))


def overlap(one: ScheduledFault, other: ScheduledFault) -> bool:
    return one.at < other.until and other.at < one.until


def test_the_same_seed_makes_the_same_schedule_and_another_another() -> None:
    assert schedule(5, 60) == schedule(5, 60)
    assert schedule(5, 60) != schedule(6, 60)


@each_seed
def test_every_fault_strikes_within_half_a_minute(seed: int) -> None:
    assert {one.name for one in schedule(seed, 30)} == set(FAULTS)


@each_seed
def test_every_step_and_variant_is_struck_within_a_minute_and_a_half(seed: int) -> None:
    faults = schedule(seed, 90)
    assert {one.variant for one in faults if one.name == "kill_at_step"} == set(STEPS)
    wanted = {(kind.name, variant) for kind in FAULTS.values() for variant in kind.variants}
    assert {(one.name, one.variant) for one in faults} == wanted


@pytest.mark.parametrize("seconds", [1, 5, 12, 30, 200])
def test_faults_come_in_order_and_end_in_time(seconds: float) -> None:
    faults = schedule(3, seconds)
    assert faults == sorted(faults, key=lambda one: one.at)
    assert all(0 <= one.at < one.until <= seconds for one in faults)


@each_seed
def test_a_fault_that_would_end_another_does_not_overlap_it(seed: int) -> None:
    faults = schedule(seed, 120)
    database = ("postgres_immediate", "postgres_frozen", "secret_rotated")
    for names in (database, "redis_", "clock_"):
        alike = [one for one in faults if one.name.startswith(names)]
        assert not any(overlap(one, other) for one, other in combinations(alike, 2))


@each_seed
def test_redis_is_absent_alone_before_anything_else(seed: int) -> None:
    first, second, third = schedule(seed, 30)[:3]
    assert (first.name, second.name) == ("redis_rejecting", "redis_hung")
    assert first.until <= second.at
    assert second.until <= third.at


def test_several_faults_strike_at_a_time() -> None:
    faults = schedule(1, 60)
    assert max(sum(overlap(one, other) for other in faults) for one in faults) >= 4


def test_a_schedule_can_be_of_one_fault() -> None:
    assert {one.name for one in schedule(1, 30, only=["sqs_late"])} == {"sqs_late"}


def test_the_page_lists_every_fault_with_its_ways() -> None:
    text = (REPOSITORY / "docs" / "chaos.md").read_text("utf-8")
    table = text.partition("<!-- faults -->")[2].partition("<!-- /faults -->")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) ?\|$", table, flags=re.MULTILINE)
    assert [(name, re.findall(r"`(\w+)`", ways)) for name, _, ways in rows] == [
        (kind.name, [one for one in kind.variants if one]) for kind in FAULTS.values()
    ]
