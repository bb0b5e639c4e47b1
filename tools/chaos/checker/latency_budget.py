"""I12: with Redis rejecting or hung, reads take little longer than without faults."""

from __future__ import annotations

from statistics import quantiles

from tools.chaos.checker.history import Read
from tools.chaos.checker.result import Facts, finding
from tools.chaos.checker.run_record import RunRecord

_Span = tuple[float, float]

REDIS_FAULTS = ("redis_rejecting", "redis_hung")
# Fewer say nothing.
ENOUGH = 8
# Generous, since other work shares the machine: what stalls for seconds is far beyond.
RATIO = 4.0
# What a fault leaves behind: queues that fill up, workers that start anew.
_AFTERMATH_SECONDS = 4.0


def cache_never_stalls(run: RunRecord) -> Facts:
    """I12: see the module. Checked where there are enough reads of both kinds, else on nothing."""
    redis, others = _spans(run, redis=True), _spans(run, redis=False)
    quiet, stalled = [], []
    for read in run.history.reads:
        span = read.request.t, read.t
        if read.request.event.get("late") or any(_meet(span, other) for other in others):
            continue
        if any(begin <= span[0] <= end for begin, end in redis):
            stalled.append(read)
        elif not any(_meet(span, fault) for fault in redis):
            quiet.append(read)
    if len(quiet) >= ENOUGH and len(stalled) >= ENOUGH:
        usual, then = _usual(quiet), _usual(stalled)
        text = f"reads took {then / usual:.1f} times as long while Redis was rejecting or hung"
        yield finding(None if then <= usual * RATIO else text, max(stalled, key=_seconds))


def _usual(reads: list[Read]) -> float:
    """Return the lower quartile of what reads took.

    Each read that waits for Redis waits, so the quick ones show it, too; the slow ones are slow for
    other reasons as well: a worker that starts, a queue behind an earlier fault.
    """
    return quantiles(map(_seconds, reads), n=4)[0]


def _seconds(read: Read) -> float:
    return read.t - read.request.t


def _meet(one: _Span, other: _Span) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _spans(run: RunRecord, *, redis: bool) -> list[_Span]:
    """Return the spans of faults, of Redis or of all others, those with what they leave behind."""
    rest = 0.0 if redis else _AFTERMATH_SECONDS
    begun: dict[str, list[float]] = {}
    found: list[_Span] = []
    for event in run.history.of("fault"):
        name, at = str(event["name"]), float(event["t"])
        if (name in REDIS_FAULTS) is redis:
            if event["phase"] == "begin":
                begun.setdefault(name, []).append(at)
            elif begun.get(name):
                found.append((begun[name].pop(), at + rest))
    return [*found, *((at, float("inf")) for times in begun.values() for at in times)]
