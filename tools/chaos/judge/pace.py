"""I12: with Redis rejected or hung, reads take little longer than without faults."""

from __future__ import annotations

from statistics import quantiles

from tools.chaos.judge.case import Case
from tools.chaos.judge.history import Read
from tools.chaos.judge.verdict import Facts, Finding

Span = tuple[float, float]

REDIS_FAULTS = ("redis_refused", "redis_hung")
# Fewer say nothing.
ENOUGH = 8
# Generous, since other work shares the machine: what stalls for seconds is far beyond.
RATIO = 4.0
# What a fault leaves behind: queues that fill up, workers that start anew.
_AFTERMATH_SECONDS = 4.0


def cache_never_stalls(case: Case) -> Facts:
    """I12: see the module. Judged where there are enough reads of both kinds, else on nothing."""
    redis = _spans(case, redis=True)
    others = _spans(case, redis=False)
    quiet, stalled = [], []
    for read in case.history.reads:
        span = read.request.t, read.t
        if read.request.event.get("late") or any(_meet(span, other) for other in others):
            continue
        if any(begin <= span[0] <= end for begin, end in redis):
            stalled.append(read)
        elif not any(_meet(span, fault) for fault in redis):
            quiet.append(read)
    if len(quiet) >= ENOUGH and len(stalled) >= ENOUGH:
        yield _compared(quiet, stalled)


def _compared(quiet: list[Read], stalled: list[Read]) -> Finding | None:
    usual, then = _usual(quiet), _usual(stalled)
    if then <= usual * RATIO:
        return None
    slowest = max(stalled, key=_seconds)
    text = f"reads took {then / usual:.1f} times as long while Redis was rejected or hung"
    return Finding(text, slowest.request.request_id, slowest.events)


def _usual(reads: list[Read]) -> float:
    """Return the lower quartile of what reads took.

    Each read that waits for Redis waits, so the quick ones show it, too; the slow ones are slow for
    other reasons as well: a worker that starts, a queue behind an earlier fault.
    """
    return quantiles(map(_seconds, reads), n=4)[0]


def _seconds(read: Read) -> float:
    return read.t - read.request.t


def _meet(one: Span, other: Span) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _spans(case: Case, *, redis: bool) -> list[Span]:
    """Return the spans of faults, of Redis or of all others, those with what they leave behind."""
    open_since: dict[str, list[float]] = {}
    found: list[Span] = []
    for event in case.history.of("fault"):
        name, at = str(event["name"]), float(event["t"])
        if (name in REDIS_FAULTS) is not redis:
            continue
        if event["phase"] == "begin":
            open_since.setdefault(name, []).append(at)
        elif open_since.get(name):
            found.append((open_since[name].pop(), at))
    endless = [(at, float("inf")) for times in open_since.values() for at in times]
    rest = 0.0 if redis else _AFTERMATH_SECONDS
    return [(begin, end + rest) for begin, end in [*found, *endless]]
