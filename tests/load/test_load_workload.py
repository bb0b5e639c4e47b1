"""Mixes, arrivals, reports, and why a stall shows in an open loop and hides in a closed one."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest

from tools.load.report import DONE, TIMEOUT, Recording, Sample, latency, summarize
from tools.load.target import running_service
from tools.load.workload import Arrival, Clock, arrivals, closed_loop, open_loop, parse_mix

MIX = parse_mix("debts=3, pay=1")
ANSWER_SECONDS, STALL_SECONDS, STALL_AT, RUN_SECONDS = 0.01, 5.0, 20.0, 60.0


class AtOnce(Executor):
    """Runs what is submitted to it at once."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


@dataclass
class StallingService:
    """Answers one call after the other, once nothing for a while; time passes in its calls."""

    now: float = 0.0
    stalled: bool = False
    recording: Recording = field(default_factory=Recording)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def call(self, operation: str, *, due: float) -> None:
        started = self.now
        if started >= STALL_AT and not self.stalled:
            self.stalled = True
            self.sleep(STALL_SECONDS)
        self.sleep(ANSWER_SECONDS)
        self.recording.samples.append(Sample(operation, due, started, self.now, self.now, DONE))


def test_a_stall_is_in_the_p99_of_an_open_loop_and_not_of_a_closed_one() -> None:
    # Both call ten times a second. Everything that was due during the stall waited for its end.
    service = StallingService()
    closed_loop(service, MIX, seconds=RUN_SECONDS, think=0.09, seed="1", clock=service.clock)
    closed = summarize(service.recording)["all"]
    assert closed["answered_ms"]["p99"] == pytest.approx(ANSWER_SECONDS * 1000, rel=0.01)

    service = StallingService()
    planned = arrivals(MIX, rate=10, seconds=RUN_SECONDS, users=1, seed="1")
    open_loop(planned, [service], pool=AtOnce(), clock=service.clock)
    opened = summarize(service.recording)["all"]
    assert opened["answered_ms"]["p99"] > STALL_SECONDS * 1000 / 2
    assert opened["late_ms"]["max"] == pytest.approx(STALL_SECONDS * 1000, rel=0.1)
    assert opened["late_ms"]["p50"] < ANSWER_SECONDS * 1000


def test_an_open_loop_calls_each_arrival_as_its_user() -> None:
    users = [StallingService(), StallingService()]
    planned = [Arrival(0.5, "pay", 1), Arrival(0.7, "sync", 0)]
    open_loop(planned, users, pool=AtOnce(), clock=users[0].clock)
    called = [[(each.operation, each.due) for each in user.recording.samples] for user in users]
    assert called == [[("sync", 0.7)], [("pay", 0.5)]]


def planned(seed: str = "7") -> list[Arrival]:
    return arrivals(MIX, rate=4, seconds=500.0, users=5, seed=seed)


def test_arrivals_have_the_rate_and_the_spread_of_a_poisson_process() -> None:
    counts = Counter(int(arrival.at) for arrival in planned())
    mean = counts.total() / 500
    variance = sum((counts[second] - mean) ** 2 for second in range(500)) / 500
    assert mean == pytest.approx(4, rel=0.1)
    assert variance == pytest.approx(mean, rel=0.3)


def test_operations_follow_their_weights_and_come_from_all_users_as_the_seed_decides() -> None:
    found = planned()
    shares = Counter(arrival.operation for arrival in found)
    assert shares["debts"] / shares["pay"] == pytest.approx(3, rel=0.2)
    assert {arrival.user for arrival in found} == set(range(5))
    assert found == planned() != planned(seed="8")


@pytest.mark.parametrize("text", ["", "refund=1", "pay", "pay=0", "pay=-1", "pay=much", "pay=inf"])
def test_invalid_mixes_are_rejected(text: str) -> None:
    with pytest.raises(click.BadParameter):
        parse_mix(text)


def test_percentiles_are_those_of_the_values() -> None:
    found = latency(number / 1000 for number in range(1, 1001))
    assert found == {"count": 1000, "p50": 500, "p90": 900, "p99": 990, "p999": 999, "max": 1000}
    assert latency([0.002])["p50"] == latency([0.002])["max"] == 2.0
    assert latency([])["p99"] is None


def test_a_timeout_counts_as_slow_and_a_rejection_not_as_quick() -> None:
    samples = [
        Sample("debts", 0.0, 0.0, 0.1, 0.2, DONE),
        Sample("debts", 1.0, 1.0, 16.0, 31.0, TIMEOUT),
        Sample("debts", 2.0, 2.0, None, 2.001, "too_many_requests"),
    ]
    report = summarize(Recording(samples))
    debts = report["operations"]["debts"]
    assert debts["errors"] == {TIMEOUT: 1, "too_many_requests": 1}
    assert (debts["answered_ms"]["count"], debts["answered_ms"]["max"]) == (2, 30_000)
    assert (debts["accepted_ms"]["count"], debts["accepted_ms"]["max"]) == (2, 15_000)
    assert (debts["count"], report["throughput"]) == (3, round(1 / 31, 3))


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"residents": []}', '{"residents": [{}]}'])
def test_invalid_credentials_are_rejected(tmp_path: Path, text: str) -> None:
    file = tmp_path / "residents.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(click.ClickException), running_service("http://127.0.0.1:9", file):
        pass
