"""A stall of the service shows in full in an open loop, and hides in a closed one."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tools.load.loops import Threads, closed_loop, closed_loops, open_loop
from tools.load.samples import DONE, Recording, Sample
from tools.load.schedule import Arrival, Mix, arrivals
from tools.load.summary import summarise

MIX = Mix({"debts": 1.0})
ANSWER_SECONDS, STALL_SECONDS, STALL_AT, RUN_SECONDS = 0.01, 5.0, 20.0, 60.0


@dataclass
class Time:
    """Time that passes only when somebody spends it."""

    now: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Stalling:
    """Answers one operation after the other, and once nothing for a while."""

    time: Time
    recording: Recording
    stalled: bool = False
    done: list[str] = field(default_factory=list)

    def do(self, operation: str, *, intended: float) -> None:
        started = self.recording.now()
        if started >= STALL_AT and not self.stalled:
            self.stalled = True
            self.time.sleep(STALL_SECONDS)
        self.time.sleep(ANSWER_SECONDS)
        ended = self.recording.now()
        self.done.append(operation)
        self.recording.add(Sample(operation, intended, started, ended, ended, DONE))


def p99(run: Callable[[Time, Recording, Stalling], None]) -> float:
    """Return the p99 in ms that a loop measures of the stalling service."""
    time = Time()
    recording = Recording(lambda: time.now)
    run(time, recording, Stalling(time, recording))
    summary = summarise(recording, start=0.0, end=RUN_SECONDS)
    measured: float = summary["all"]["answered_ms"]["p99"]
    return measured


def in_closed_loop(time: Time, recording: Recording, service: Stalling) -> None:
    closed_loop(
        service,
        mix=MIX,
        recording=recording,
        until=RUN_SECONDS,
        think=lambda: time.sleep(0.09),
        rng=random.Random(1),
    )


def in_open_loop(time: Time, recording: Recording, service: Stalling) -> None:
    planned = arrivals(rate=10, seconds=RUN_SECONDS, poisson=False, mix=MIX, users=1, seed="1")
    open_loop(
        planned,
        users=[service],
        recording=recording,
        sleep=time.sleep,
        submit=lambda task: task(),
    )


def test_a_stall_is_in_the_p99_of_an_open_loop_and_not_of_a_closed_one() -> None:
    # Both ask ten times a second. All that was due during the stall waited for its end.
    assert p99(in_closed_loop) == pytest.approx(ANSWER_SECONDS * 1000, rel=0.01)
    assert p99(in_open_loop) > STALL_SECONDS * 1000 / 2


def test_what_could_not_start_in_time_is_said_to_be_late() -> None:
    time = Time()
    recording = Recording(lambda: time.now)
    in_open_loop(time, recording, Stalling(time, recording))
    late = summarise(recording, start=0.0, end=RUN_SECONDS)["all"]["late_ms"]
    assert late["max"] == pytest.approx((STALL_SECONDS - 0.1) * 1000, rel=0.01)
    assert late["p50"] < 1


def test_an_open_loop_carries_out_each_arrival_of_its_user() -> None:
    time = Time()
    recording = Recording(lambda: time.now)
    users = [Stalling(time, recording), Stalling(time, recording)]
    planned = [Arrival(0.5, "pay", 1), Arrival(0.7, "sync", 0), Arrival(0.7, "debts", 1)]
    with Threads(1) as threads:
        open_loop(
            planned, users=users, recording=recording, sleep=time.sleep, submit=threads.submit
        )
    assert [user.done for user in users] == [["sync"], ["pay", "debts"]]
    assert sorted(sample.intended for sample in recording.samples) == [0.5, 0.7, 0.7]
    assert recording.outstanding == 0


def test_all_users_of_a_closed_loop_ask() -> None:
    time = Time()
    recording = Recording(lambda: time.now)
    users = [Stalling(time, recording, stalled=True) for _ in range(3)]
    closed_loops(
        users,
        mix=MIX,
        recording=recording,
        seconds=1.0,
        think_seconds=0.1,
        sleep=time.sleep,
        seed="1",
    )
    assert recording.outstanding == 0
    assert len(recording.samples) == sum(len(user.done) for user in users) > 3


def test_a_task_that_fails_is_reported_and_not_forgotten() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), Threads(2) as threads:
        threads.submit(fail)
