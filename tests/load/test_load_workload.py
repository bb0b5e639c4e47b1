"""Arrivals, mixes, and why a stall shows in full in an open loop and hides in a closed one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

import pytest

from tools.load.errors import LoadError
from tools.load.recording import DONE, Recording, Sample
from tools.load.report import summarize
from tools.load.workload import Arrival, Mix, arrivals, closed_loop, open_loop

MIX = Mix.parse("debts=3,pay=1")
ANSWER_SECONDS, STALL_SECONDS, STALL_AT, RUN_SECONDS = 0.01, 5.0, 20.0, 60.0


@dataclass
class Time:
    """Time that passes only when somebody spends it."""

    now: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class AtOnce(Executor):
    """Runs what is submitted to it at once."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


@dataclass
class StallingService:
    """Answers one call after the other, and once nothing for a while."""

    time: Time = field(default_factory=Time)
    stalled: bool = False
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.recording = Recording(lambda: self.time.now)

    def call(self, operation: str, *, due: float) -> None:
        started = self.time.now
        if started >= STALL_AT and not self.stalled:
            self.stalled = True
            self.time.sleep(STALL_SECONDS)
        self.time.sleep(ANSWER_SECONDS)
        self.calls.append(operation)
        ended = self.time.now
        self.recording.add(Sample(operation, due, started, ended, ended, DONE))


def in_closed_loop(service: StallingService) -> None:
    clock = service.recording.now
    closed_loop(
        service,
        mix=MIX,
        seconds=RUN_SECONDS,
        think=0.09,
        now=clock,
        sleep=service.time.sleep,
        seed="1",
    )


def in_open_loop(service: StallingService) -> None:
    planned = arrivals(rate=10, seconds=RUN_SECONDS, poisson=False, mix=MIX, users=1, seed="1")
    run_open(planned, [service], service)


def run_open(planned: list[Arrival], callers: list[StallingService], one: StallingService) -> None:
    open_loop(
        planned,
        callers=callers,
        now=one.recording.now,
        sleep=one.time.sleep,
        pool=AtOnce(),
    )


def measure(loop: Callable[[StallingService], None]) -> dict[str, Any]:
    service = StallingService()
    loop(service)
    summary: dict[str, Any] = summarize(service.recording, seconds=RUN_SECONDS)["all"]
    return summary


def test_a_stall_is_in_the_p99_of_an_open_loop_and_not_of_a_closed_one() -> None:
    # Both call ten times a second. Everything that was due during the stall waited for its end.
    closed, opened = measure(in_closed_loop), measure(in_open_loop)
    assert closed["answered_ms"]["p99"] == pytest.approx(ANSWER_SECONDS * 1000, rel=0.01)
    assert opened["answered_ms"]["p99"] > STALL_SECONDS * 1000 / 2


def test_calls_that_could_not_start_in_time_are_reported_as_late() -> None:
    late = measure(in_open_loop)["late_ms"]
    assert late["max"] == pytest.approx((STALL_SECONDS - 0.1) * 1000, rel=0.01)
    assert late["p50"] < 1


def test_an_open_loop_calls_each_arrival_as_its_user() -> None:
    time = Time()
    users = [StallingService(time), StallingService(time)]
    run_open([Arrival(0.5, "pay", 1), Arrival(0.7, "sync", 0)], users, users[0])
    assert [user.calls for user in users] == [["sync"], ["pay"]]
    assert [user.recording.samples[0].due for user in users] == [0.7, 0.5]


def planned(*, poisson: bool, seed: str = "7", seconds: float = 500.0) -> list[Arrival]:
    return arrivals(rate=4, seconds=seconds, poisson=poisson, mix=MIX, users=5, seed=seed)


def test_constant_arrivals_are_equally_far_apart() -> None:
    assert [each.at for each in planned(poisson=False, seconds=1)] == [0.0, 0.25, 0.5, 0.75]


def test_poisson_arrivals_have_the_rate_and_the_spread_of_a_poisson_process() -> None:
    instants = [arrival.at for arrival in planned(poisson=True)]
    counts = Counter(int(at) for at in instants)
    mean = len(instants) / 500
    variance = sum((counts[second] - mean) ** 2 for second in range(500)) / 500
    assert mean == pytest.approx(4, rel=0.1)
    assert variance == pytest.approx(mean, rel=0.3)


def test_the_seed_decides_the_arrivals() -> None:
    assert planned(poisson=True) == planned(poisson=True) != planned(poisson=True, seed="8")


def test_operations_follow_their_weights_and_come_from_all_users() -> None:
    found = planned(poisson=True)
    shares = Counter(arrival.operation for arrival in found)
    assert shares["debts"] / shares["pay"] == pytest.approx(3, rel=0.2)
    assert {arrival.user for arrival in found} == set(range(5))
    assert Mix.parse(" login=0.5").pick(random.Random(1)) == "login"
    assert (MIX.share("pay"), MIX.share("sync")) == (0.25, 0.0)


@pytest.mark.parametrize("text", ["", "refund=1", "pay", "pay=0", "pay=-1", "pay=much", "pay=inf"])
def test_invalid_mixes_are_rejected(text: str) -> None:
    with pytest.raises(LoadError):
        Mix.parse(text)
