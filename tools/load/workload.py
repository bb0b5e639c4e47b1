"""Which operations are called when: the mix, the arrivals, and closed and open loops.

In a closed loop a user asks again after the answer, so a service that stalls is asked less and
the stall is measured once for each user. An open loop asks when the schedule says, as residents
do who know nothing of each other: everything that a stall delays is measured.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

import click

OPERATIONS = ("login", "debts", "pay", "sync")

# How often each operation is called, relative to the others.
Mix = Mapping[str, float]


@dataclass(frozen=True)
class Clock:
    """Time in seconds, and how to let it pass."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Caller(Protocol):
    """Somebody who calls operations and records them."""

    def call(self, operation: str, *, due: float) -> object:
        """Call the operation that was due at that second of the clock."""


@dataclass(frozen=True)
class Arrival:
    """An operation of an open loop, due `at` seconds after the loop begins."""

    at: float
    operation: str
    user: int


def parse_mix(text: str) -> Mix:
    """Read `debts=5,pay=2`.

    Raises:
        click.BadParameter: an operation is unknown or a weight is no number above 0.
    """
    return dict(_weight(*part.strip().partition("=")[::2]) for part in text.split(","))


def _weight(name: str, text: str) -> tuple[str, float]:
    if name not in OPERATIONS:
        raise click.BadParameter(f"Unknown operation {name!r}: use {', '.join(OPERATIONS)}.")
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    if not 0 < weight < float("inf"):
        raise click.BadParameter(f"The weight of {name} must be a number above 0: {name}=3.")
    return name, weight


def _pick(mix: Mix, rng: random.Random) -> str:
    return rng.choices(list(mix), weights=list(mix.values()))[0]


def arrivals(mix: Mix, *, rate: float, seconds: float, users: int, seed: str) -> list[Arrival]:
    """Return the arrivals of that many seconds, a Poisson process that the seed decides."""
    rng, planned = random.Random(seed), list[Arrival]()
    at = rng.expovariate(rate)
    while at < seconds:
        planned.append(Arrival(at, _pick(mix, rng), rng.randrange(users)))
        at += rng.expovariate(rate)
    return planned


def closed_loop(
    caller: Caller, mix: Mix, *, seconds: float, think: float, seed: str, clock: Clock
) -> None:
    """Call, wait for the answer, think (exponential around `think` seconds), and so on."""
    rng, until = random.Random(seed), clock.now() + seconds
    while (due := clock.now()) < until:
        caller.call(_pick(mix, rng), due=due)
        if think:
            clock.sleep(rng.expovariate(1 / think))


def open_loop(
    planned: Iterable[Arrival], callers: Sequence[Caller], *, pool: Executor, clock: Clock
) -> None:
    """Start each arrival when it is due, whatever became of those before, and wait for all."""
    start, calls = clock.now(), []
    for arrival in planned:
        due = start + arrival.at
        clock.sleep(max(0.0, due - clock.now()))
        calls.append(pool.submit(callers[arrival.user].call, arrival.operation, due=due))
    for call in calls:
        call.result()
