"""What can be run: a closed loop, an open loop, an overload, comparisons. Each gives a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from tools.load.crowd import Crowd, crowd_of
from tools.load.depths import Depth, DepthWatch
from tools.load.ledger import settle
from tools.load.loops import Threads
from tools.load.overload import Overload, Plan, recovery_seconds
from tools.load.schedule import Mix, arrivals
from tools.load.summary import summarise
from tools.load.target import Target

Json = dict[str, Any]
Progress = Callable[[str], None]

THREADS = 400


@dataclass(frozen=True)
class Wishes:
    """What all runs have in common; times in seconds."""

    users: int
    mix: Mix
    seconds: float = 20.0
    timeout_seconds: float = 60.0
    seed: str = "1"


def run_closed(target: Target, wishes: Wishes, *, think_seconds: float, progress: Progress) -> Json:
    """Run a closed loop, and return its part of the report."""
    with _crowd(target, wishes, progress) as crowd, _watching(crowd) as depths:
        progress(f"{wishes.users} users ask, wait and think for {wishes.seconds:g} s")
        start = crowd.recording.now()
        crowd.closed(
            mix=wishes.mix,
            seconds=wishes.seconds,
            think_seconds=think_seconds,
            seed=wishes.seed,
        )
        return _report("closed", crowd, start, depths, progress)


def run_open(
    target: Target, wishes: Wishes, *, rate: float, poisson: bool, progress: Progress
) -> Json:
    """Run an open loop, and return its part of the report."""
    with _crowd(target, wishes, progress) as crowd, _watching(crowd) as depths:
        planned = arrivals(
            rate=rate,
            seconds=wishes.seconds,
            poisson=poisson,
            mix=wishes.mix,
            users=wishes.users,
            seed=wishes.seed,
        )
        crowd.stock_for(planned)
        progress(f"{len(planned)} operations arrive in {wishes.seconds:g} s")
        start = crowd.recording.now()
        with Threads(THREADS) as threads:
            crowd.open([arrival.later(start) for arrival in planned], threads)
        return _report("open", crowd, start, depths, progress)


def run_overload(target: Target, wishes: Wishes, plan: Plan, *, progress: Progress) -> Json:
    """Ramp up past saturation and come back; returns the part of the report."""
    with _crowd(target, wishes, progress) as crowd, _watching(crowd) as depths:
        start = crowd.recording.now()
        with Threads(THREADS) as threads:
            course = Overload(crowd, plan, threads, progress).run()
        report = _report("overload", crowd, start, depths, progress)
    recovery = recovery_seconds(course, crowd.recording.samples, depths)
    length = course.overload_ended - course.overload_began
    report["overload"] = {
        "stages": [
            {"second": round(at - start, 3), "rate": round(rate, 3)} for at, rate in course.stages
        ],
        "began": round(course.overload_began - start, 3),
        "ended": round(course.overload_ended - start, 3),
        "peak_rate": round(course.peak_rate, 3),
        "recovery_seconds": None if recovery is None else round(recovery, 3),
        "recovery_to_length": None if recovery is None else round(recovery / length, 3),
    }
    return report


@contextmanager
def _crowd(target: Target, wishes: Wishes, progress: Progress) -> Iterator[Crowd]:
    progress(f"{wishes.users} residents log in")
    with crowd_of(target, users=wishes.users, timeout_seconds=wishes.timeout_seconds) as crowd:
        yield crowd


@contextmanager
def _watching(crowd: Crowd) -> Iterator[list[Depth]]:
    """Look at the queues where one may."""
    if crowd.target.office is None:
        yield []
        return
    with DepthWatch(crowd.target.office.depths, crowd.recording) as watch:
        yield watch.seen


def _report(kind: str, crowd: Crowd, start: float, depths: list[Depth], progress: Progress) -> Json:
    end = crowd.recording.now()
    progress("Every accepted request is looked for")
    ledger = settle(crowd)
    return {
        "name": kind,
        **summarise(crowd.recording, start=start, end=end),
        "depths": [_depth(depth, start) for depth in depths if start <= depth.at < end],
        "ledger": {**asdict(ledger), "holds": ledger.holds},
    }


def _depth(depth: Depth, start: float) -> Json:
    return {
        "second": round(depth.at - start, 3),
        "queues": dict(depth.queues),
        "outstanding": depth.outstanding,
    }
