"""Deterministic fault schedule, generated from a seed so that runs can be replayed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.chaos.faults import FAULTS, FaultKind

# Needed to tell how fast answers are when only Redis is at fault.
_ALONE = ("redis_rejecting", "redis_hung")
_ALONE_SECONDS = 5.0
# So many faults are active at a time, of different kinds.
_TRACKS = 4
_LONGEST_PAUSE_SECONDS = 1.0
# What one of these ends another must not find half done.
_EXCLUSIVE = ("postgres_immediate", "postgres_frozen", "secret_rotated")


@dataclass(frozen=True)
class ScheduledFault:
    """A fault to come: seconds since the faults began, and the seed of its own choices."""

    at: float
    until: float
    name: str
    variant: str
    seed: int


def schedule(seed: int, seconds: float, *, only: Sequence[str] = ()) -> list[ScheduledFault]:
    """Return the faults of a run, in order of time.

    First comes Redis's absence alone, to be compared with the quiet before; then rounds of all
    faults in all their variants, in an order of the seed's, several at a time. The time may not
    suffice for a whole round; each begins with what must not be missing.
    """
    rng = random.Random(seed)
    kinds = [kind for kind in FAULTS.values() if not only or kind.name in only]
    alone = list(_alone(rng, kinds, seconds))
    begin = alone[-1].until if alone else 0.0
    return sorted([*alone, *_rounds(rng, kinds, begin, seconds)], key=lambda one: one.at)


def _alone(
    rng: random.Random, kinds: Sequence[FaultKind], seconds: float
) -> Iterator[ScheduledFault]:
    names = [name for name in _ALONE if name in {kind.name for kind in kinds}]
    for number, name in enumerate(names):
        at, until = number * _ALONE_SECONDS, (number + 1) * _ALONE_SECONDS
        if until <= seconds:
            yield ScheduledFault(at, until, name, "", rng.getrandbits(32))


def _rounds(
    rng: random.Random, kinds: Sequence[FaultKind], begin: float, seconds: float
) -> Iterator[ScheduledFault]:
    tracks = [begin + 0.3 * number for number in range(_TRACKS)]
    free_at: dict[str, float] = {}
    without = _ALONE if begin > 0 else ()
    while min(tracks) < seconds:
        waiting, without = _round(rng, kinds, without), ()
        while waiting and min(tracks) < seconds:
            at = min(tracks)
            free = (one for one in waiting if free_at.get(_group(one[0]), 0.0) <= at)
            choice = next(free, waiting[0])
            waiting.remove(choice)
            kind, variant = choice
            group = _group(kind)
            starts = max(at, free_at.get(group, 0.0))
            until = starts + rng.uniform(*kind.seconds)
            scheduled = ScheduledFault(starts, until, kind.name, variant, rng.getrandbits(32))
            pause = rng.uniform(0, _LONGEST_PAUSE_SECONDS)
            tracks[tracks.index(at)] = free_at[group] = until + pause
            if until <= seconds:
                yield scheduled


def _round(
    rng: random.Random, kinds: Sequence[FaultKind], without: Sequence[str]
) -> list[tuple[FaultKind, str]]:
    """What must not be missing, shuffled; then all other variants, shuffled."""
    first, rest = [], []
    for kind in kinds:
        choices = [(kind, variant) for variant in rng.sample(kind.variants, k=len(kind.variants))]
        needed = 0 if kind.name in without else len(choices) if kind.needs_all else 1
        first += choices[:needed]
        rest += choices[needed:]
    return rng.sample(first, k=len(first)) + rng.sample(rest, k=len(rest))


def _group(kind: FaultKind) -> str:
    """Return what only one fault at a time may be active on."""
    if kind.name in _EXCLUSIVE:
        return "database"
    if kind.name.startswith(("kill", "sqs")):
        return kind.name
    return kind.name.partition("_")[0]
