"""Two ways against each other in one run, turn by turn: times alone mean nothing elsewhere."""

from __future__ import annotations

import os
import signal
import statistics
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis

from tools.load.crowd import Crowd, crowd_of
from tools.load.loops import Threads
from tools.load.runs import THREADS, Wishes
from tools.load.schedule import Mix, arrivals
from tools.load.summary import latency, summarise
from tools.load.target import Target, own_target

Json = dict[str, Any]
Progress = Callable[[str], None]

ROUNDS = 3
STALL_SECONDS = 2.0
HISTORY_BILLS = 400
_NO_WAIT = Mix({"pay": 1.0})


def comparison(name: str, *, of: str, to: str, values: dict[str, list[float]]) -> Json:
    """Return the median, lowest and highest ratio of what was measured turn by turn.

    Each turn is divided by its own neighbour, since what else runs here changes meanwhile.
    """
    ratios = sorted(one / other for one, other in zip(values[of], values[to], strict=True))
    return {
        "name": name,
        "of": of,
        "to": to,
        "ratio": round(statistics.median(ratios), 3),
        "lowest": round(ratios[0], 3),
        "highest": round(ratios[-1], 3),
        "values": {key: [round(value, 3) for value in series] for key, series in values.items()},
    }


def compare_workers(wishes: Wishes, progress: Progress) -> tuple[list[Json], list[Json]]:
    """Return runs and comparison of payments a second with two workers and with one.

    Both clouds run all the time, one of them idle.
    """
    runs: list[Json] = []
    values: dict[str, list[float]] = {"two_workers": [], "one_worker": []}
    with (
        own_target({"BILLING_WORKERS": "payments=1"}) as one,
        own_target({"BILLING_WORKERS": "payments=2"}) as two,
        _crowd(one, wishes) as first,
        _crowd(two, wishes) as second,
    ):
        for turn in range(ROUNDS):
            for name, crowd in (("one_worker", first), ("two_workers", second)):
                progress(f"round {turn + 1} of {ROUNDS}: {name}")
                run = _closed(crowd, wishes, mix=_NO_WAIT, think_seconds=0.0, turn=turn)
                values[name].append(run["throughput"])
                runs.append({"name": name, **run})
    name = "payments a second, closed loop without pauses"
    return runs, [comparison(name, of="two_workers", to="one_worker", values=values)]


def compare_loops(
    target: Target, wishes: Wishes, *, think_seconds: float, progress: Progress
) -> tuple[list[Json], list[Json]]:
    """Return runs and comparisons of p99 in an open and a closed loop that ask equally often.

    In half of the rounds the gateway is stopped for a moment.
    """
    runs: list[Json] = []
    values: dict[str, list[float]] = {}
    with _crowd(target, wishes) as crowd:
        for turn in range(ROUNDS):
            for stall in (0.0, STALL_SECONDS):
                progress(f"round {turn + 1} of {ROUNDS}, the gateway stops for {stall:g} s")
                for name, run in _pair(crowd, wishes, think_seconds, stall, turn):
                    key = f"{name}_stalled" if stall else name
                    values.setdefault(key, []).append(run["all"]["answered_ms"]["p99"])
                    runs.append({"name": key, **run})
    return runs, [
        comparison("p99 in ms", of="open", to="closed", values=_only(values, "open", "closed")),
        comparison(
            f"p99 in ms, the gateway stopped for {STALL_SECONDS:g} s",
            of="open_stalled",
            to="closed_stalled",
            values=_only(values, "open_stalled", "closed_stalled"),
        ),
    ]


def compare_cache(
    target: Target, wishes: Wishes, *, progress: Progress
) -> tuple[list[Json], list[Json]]:
    """Return runs and comparisons of reads whose result Redis has, and the same when it has none.

    One user asks, in turns, and nobody pays meanwhile.
    """
    if target.cloud is None or target.office is None:
        raise AssertionError("only a cloud of our own is emptied")
    results = redis.Redis.from_url(target.cloud.redis_url)
    comparisons = []
    with crowd_of(
        target, users=1, timeout_seconds=wishes.timeout_seconds, paid_bills=HISTORY_BILLS
    ) as crowd:
        user = crowd.users[0]
        target.office.issue(user.resident.apartment_id, HISTORY_BILLS)
        start = crowd.recording.now()
        for operation in ("debts", "history"):
            progress(f"{operation}: computed, cached, computed, cached ...")
            values: dict[str, list[float]] = {"cached": [], "computed": []}
            for _ in range(round(wishes.seconds * 2)):
                results.flushall()
                for kind in ("computed", "cached"):
                    values[kind].append(_once(crowd, operation))
            name = f"{operation} in ms, {HISTORY_BILLS} bills"
            comparisons.append(comparison(name, of="cached", to="computed", values=values))
        run = summarise(crowd.recording, start=start, end=crowd.recording.now())
    return [{"name": "reads", **run}], comparisons


def _once(crowd: Crowd, operation: str) -> float:
    crowd.recording.due()
    crowd.users[0].do(operation, intended=crowd.recording.now())
    median: float = latency([crowd.recording.samples[-1].seconds])["p50"]
    return median


def _only(values: dict[str, list[float]], *names: str) -> dict[str, list[float]]:
    return {name: values[name] for name in names}


def _pair(
    crowd: Crowd, wishes: Wishes, think_seconds: float, stall: float, turn: int
) -> Iterator[tuple[str, Json]]:
    """Run a closed loop, then an open one that asks as often as the closed one did."""
    with _stalled(crowd.target, wishes.seconds / 2, stall):
        closed = _closed(crowd, wishes, mix=wishes.mix, think_seconds=think_seconds, turn=turn)
    yield "closed", closed
    rate = closed["all"]["count"] / wishes.seconds
    with _stalled(crowd.target, wishes.seconds / 2, stall):
        yield "open", _open(crowd, wishes, rate=rate, turn=turn)


def _closed(crowd: Crowd, wishes: Wishes, *, mix: Mix, think_seconds: float, turn: int) -> Json:
    start = crowd.recording.now()
    seed = f"{wishes.seed} {turn}"
    crowd.closed(mix=mix, seconds=wishes.seconds, think_seconds=think_seconds, seed=seed)
    return summarise(crowd.recording, start=start, end=crowd.recording.now())


def _open(crowd: Crowd, wishes: Wishes, *, rate: float, turn: int) -> Json:
    planned = arrivals(
        rate=rate,
        seconds=wishes.seconds,
        poisson=True,
        mix=wishes.mix,
        users=len(crowd.users),
        seed=f"{wishes.seed} {turn}",
    )
    crowd.stock_for(planned)
    start = crowd.recording.now()
    with Threads(THREADS) as threads:
        crowd.open([arrival.later(start) for arrival in planned], threads)
    return summarise(crowd.recording, start=start, end=crowd.recording.now())


@contextmanager
def _crowd(target: Target, wishes: Wishes) -> Iterator[Crowd]:
    with crowd_of(target, users=wishes.users, timeout_seconds=wishes.timeout_seconds) as crowd:
        yield crowd


@contextmanager
def _stalled(target: Target, after: float, seconds: float) -> Iterator[None]:
    """Stop the gateway's process for a moment, ``after`` so many seconds; 0 seconds: don't."""
    if not seconds or target.cloud is None:
        yield
        return
    gateway, ending = target.cloud.pids["gateway"], threading.Event()
    stall = threading.Thread(target=_stop_for, args=(gateway, after, seconds, ending))
    stall.start()
    try:
        yield
    finally:
        ending.set()
        stall.join()


def _stop_for(pid: int, after: float, seconds: float, ending: threading.Event) -> None:
    if ending.wait(after):
        return
    os.kill(pid, signal.SIGSTOP)
    try:
        ending.wait(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)
