"""I12: with Redis rejecting or hung, reads take little longer than without faults."""

from __future__ import annotations

from statistics import quantiles

from tools.chaos.checker.history import Read
from tools.chaos.checker.result import Facts, finding
from tools.chaos.checker.run_record import RunRecord

REDIS_FAULTS = ("redis_rejecting", "redis_hung")
# Fewer say nothing.
ENOUGH = 8
# Generous, since other work shares the machine: what stalls for seconds is far beyond.
RATIO = 4.0
# Twice as long as nine of ten reads take without a fault is slow; a few may be, for other reasons.
SLOW_SECONDS, SLOW_RATIO = 1.0, 2.0
_FEW, _FEW_SHARE = 2, 0.05
# What a fault leaves behind: queues that fill up, workers that start anew.
_AFTERMATH_SECONDS = 4.0


def cache_never_stalls(run: RunRecord) -> Facts:
    """I12: see the module. Checked where there are enough reads of both kinds, else on nothing."""
    redis = [one for one in run.history.faults if one.name in REDIS_FAULTS]
    others = [one for one in run.history.faults if one.name not in REDIS_FAULTS]
    quiet, stalled = [], []
    for read in run.history.reads:
        begin, end = read.request.t, read.t
        if read.request.event.get("late") or any(
            one.meets(begin, end, rest=_AFTERMATH_SECONDS) for one in others
        ):
            continue
        if any(one.begins <= begin <= one.ends for one in redis):
            stalled.append(read)
        elif not any(one.meets(begin, end) for one in redis):
            quiet.append(read)
    if len(quiet) >= ENOUGH and len(stalled) >= ENOUGH:
        yield finding(_slowness(quiet, stalled), max(stalled, key=_seconds))


def _slowness(quiet: list[Read], stalled: list[Read]) -> str | None:
    """Say how much slower reads are: all of them, or a few.

    Where each read waits for Redis, the quick ones show it, too: their lower quartile is compared,
    as slow ones are slow for other reasons as well (a worker that starts, a queue behind an earlier
    fault). Where only some wait, there are more slow ones than those few.
    """
    usual, then = (quantiles(map(_seconds, reads), n=4)[0] for reads in (quiet, stalled))
    if then > usual * RATIO:
        return f"reads took {then / usual:.1f} times as long while Redis was rejecting or hung"
    limit = max(SLOW_SECONDS, SLOW_RATIO * quantiles(map(_seconds, quiet), n=10)[-1])
    slow = sum(_seconds(read) > limit for read in stalled)
    if slow > max(_FEW, len(stalled) * _FEW_SHARE):
        return f"{slow} of {len(stalled)} reads took over {limit:.1f} s while Redis was away"
    return None


def _seconds(read: Read) -> float:
    return read.t - read.request.t
