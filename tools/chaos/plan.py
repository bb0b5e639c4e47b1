"""Which fault strikes when: decided by a seed, so that a run can be had again."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tools.chaos.faults import FAULTS, Fault

# What is needed to tell how fast answers are when only Redis is at fault.
_ALONE = ("redis_refused", "redis_hung")
_ALONE_SECONDS = 5.0
# So many strike at a time, of different kinds.
_TRACKS = 4
_LONGEST_PAUSE_SECONDS = 1.0
# Databases die one death at a time: what one fault ends another must not find half done.
_EXCLUSIVE = ("postgres_immediate", "postgres_frozen", "secret_rotated")


@dataclass(frozen=True)
class Stroke:
    """A fault to come: seconds since the faults began, and the seed of its own choices."""

    at: float
    until: float
    name: str
    variant: str
    seed: int


@dataclass(frozen=True)
class _Choice:
    name: str
    variant: str
    seconds: tuple[float, float]


def plan(seed: int, seconds: float, *, only: Sequence[str] = ()) -> list[Stroke]:
    """Return the strokes of a run, in order of time.

    First comes Redis's absence alone, to be compared with the quiet before; then rounds of all
    faults in all their variants, in an order of the seed's, several at a time. The time may not
    suffice for a whole round; each begins with what must not be missing.
    """
    rng = random.Random(seed)
    chosen = {name: fault for name, fault in FAULTS.items() if not only or name in only}
    strokes = list(_alone(rng, [name for name in _ALONE if name in chosen], seconds))
    begin = max((stroke.until for stroke in strokes), default=0.0)
    return sorted([*strokes, *_rounds(rng, chosen, begin, seconds)], key=lambda s: s.at)


def _alone(rng: random.Random, names: Sequence[str], seconds: float) -> Iterator[Stroke]:
    at = 0.0
    for name in names:
        if at + _ALONE_SECONDS <= seconds:
            yield Stroke(at, at + _ALONE_SECONDS, name, "", rng.getrandbits(32))
            at += _ALONE_SECONDS


def _rounds(
    rng: random.Random, chosen: Mapping[str, type[Fault]], begin: float, seconds: float
) -> Iterator[Stroke]:
    tracks = [begin + 0.3 * number for number in range(_TRACKS)]
    busy: dict[str, float] = {}
    struck_alone = begin > 0
    while min(tracks) < seconds:
        waiting = _round(rng, chosen, without=_ALONE if struck_alone else ())
        struck_alone = False
        while waiting and min(tracks) < seconds:
            at = min(tracks)
            choice = next((c for c in waiting if busy.get(_group(c), 0.0) <= at), waiting[0])
            waiting.remove(choice)
            stroke = _stroke(rng, choice, max(at, busy.get(_group(choice), 0.0)))
            pause = rng.uniform(0, _LONGEST_PAUSE_SECONDS)
            tracks[tracks.index(at)] = busy[_group(choice)] = stroke.until + pause
            if stroke.until <= seconds:
                yield stroke


def _round(
    rng: random.Random, chosen: Mapping[str, type[Fault]], *, without: Sequence[str]
) -> list[_Choice]:
    """What must not be missing, shuffled; then all other variants, shuffled."""
    first, rest = [], []
    for name, fault in chosen.items():
        variants = rng.sample(fault.variants, k=len(fault.variants))
        choices = [_Choice(name, variant, fault.seconds) for variant in variants]
        needed = 0 if name in without else len(choices) if fault.needs_all else 1
        first += choices[:needed]
        rest += choices[needed:]
    return rng.sample(first, k=len(first)) + rng.sample(rest, k=len(rest))


def _stroke(rng: random.Random, choice: _Choice, at: float) -> Stroke:
    until = at + rng.uniform(*choice.seconds)
    return Stroke(at, until, choice.name, choice.variant, rng.getrandbits(32))


def _group(choice: _Choice) -> str:
    """Return what only one fault at a time may strike."""
    if choice.name in _EXCLUSIVE:
        return "database"
    if choice.name.startswith(("kill", "sqs")):
        return choice.name
    return choice.name.partition("_")[0]
