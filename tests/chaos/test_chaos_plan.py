"""A plan is decided by its seed and leaves no fault out."""

from __future__ import annotations

import pytest

from tools.chaos.faults import FAULTS
from tools.chaos.plan import Stroke, plan
from tools.chaos.proxies import STEPS

SEEDS = range(30)


def overlap(one: Stroke, other: Stroke) -> bool:
    return one.at < other.until and other.at < one.until


def test_the_same_seed_makes_the_same_plan_and_another_another() -> None:
    assert plan(5, 60) == plan(5, 60)
    assert plan(5, 60) != plan(6, 60)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_fault_strikes_within_half_a_minute(seed: int) -> None:
    assert {stroke.name for stroke in plan(seed, 30)} == set(FAULTS)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_step_and_variant_is_struck_within_a_minute_and_a_half(seed: int) -> None:
    strokes = plan(seed, 90)
    assert {s.variant for s in strokes if s.name == "kill_at_step"} == set(STEPS)
    wanted = {(name, variant) for name, fault in FAULTS.items() for variant in fault.variants}
    assert {(stroke.name, stroke.variant) for stroke in strokes} == wanted


@pytest.mark.parametrize("seconds", [1, 5, 12, 30, 200])
def test_strokes_come_in_order_and_end_in_time(seconds: float) -> None:
    strokes = plan(3, seconds)
    assert strokes == sorted(strokes, key=lambda stroke: stroke.at)
    assert all(0 <= stroke.at < stroke.until <= seconds for stroke in strokes)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_would_end_another_fault_does_not_overlap_it(seed: int) -> None:
    strokes = plan(seed, 120)
    for prefix in ("postgres_immediate", "redis_", "clock_"):
        alike = [stroke for stroke in strokes if stroke.name.startswith(prefix)]
        assert not any(overlap(a, b) for a in alike for b in alike if a is not b)
    frozen = [s for s in strokes if s.name in ("postgres_frozen", "secret_rotated")]
    dead = [s for s in strokes if s.name == "postgres_immediate"]
    assert not any(overlap(a, b) for a in frozen for b in dead)


@pytest.mark.parametrize("seed", SEEDS)
def test_redis_is_absent_alone_before_anything_else(seed: int) -> None:
    first, second, third = plan(seed, 30)[:3]
    assert (first.name, second.name) == ("redis_refused", "redis_hung")
    assert first.until <= second.at
    assert second.until <= third.at


def test_several_faults_strike_at_a_time() -> None:
    strokes = plan(1, 60)
    at_once = [sum(overlap(one, other) for other in strokes) for one in strokes]
    assert max(at_once) >= 4


def test_a_plan_can_be_of_one_fault() -> None:
    assert {stroke.name for stroke in plan(1, 30, only=["sqs_late"])} == {"sqs_late"}
