"""Which operations are called when: the mix, the arrivals, and closed and open loops.

In a closed loop a user asks again after the answer, so a service that stalls is asked less and
the stall is measured once for each user. An open loop asks when the schedule says, as residents
do who know nothing of each other: everything that a stall delays is measured.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Protocol

from tools.load.errors import LoadError

OPERATIONS = ("login", "debts", "pay", "sync")

Sleep = Callable[[float], None]
Clock = Callable[[], float]


class Caller(Protocol):
    """Somebody who calls operations and records them."""

    def call(self, operation: str, *, due: float) -> None:
        """Call the operation that was due at that second of the run."""


@dataclass(frozen=True)
class Mix:
    """How often each operation is called, relative to the others."""

    weights: Mapping[str, float]

    @classmethod
    def parse(cls, text: str) -> Mix:
        """Read `debts=5,pay=2`.

        Raises:
            LoadError: an operation is unknown or a weight is no number above 0.
        """
        parts = (part.strip().partition("=") for part in text.split(","))
        return cls({name: _weight(name, weight) for name, _, weight in parts})

    def pick(self, rng: random.Random) -> str:
        """Choose an operation by the weights."""
        return rng.choices(list(self.weights), weights=list(self.weights.values()))[0]

    def share(self, operation: str) -> float:
        """Return the operation's share of all calls, from 0 to 1."""
        return self.weights.get(operation, 0.0) / sum(self.weights.values())


@dataclass(frozen=True)
class Arrival:
    """An operation of an open loop, due `at` seconds after the loop begins."""

    at: float
    operation: str
    user: int


def arrivals(
    *, rate: float, seconds: float, poisson: bool, mix: Mix, users: int, seed: str
) -> list[Arrival]:
    """Return the arrivals of that many seconds; the same seed gives the same ones."""
    rng = random.Random(seed)
    instants = _instants(rate=rate, seconds=seconds, rng=rng if poisson else None)
    return [Arrival(at, mix.pick(rng), rng.randrange(users)) for at in instants]


def closed_loop(
    caller: Caller, *, mix: Mix, seconds: float, think: float, now: Clock, sleep: Sleep, seed: str
) -> None:
    """Call, wait for the answer, think (exponential around `think` seconds), and so on."""
    rng, until = random.Random(seed), now() + seconds
    while now() < until:
        caller.call(mix.pick(rng), due=now())
        if think:
            sleep(rng.expovariate(1 / think))


def open_loop(
    planned: Iterable[Arrival],
    *,
    callers: Sequence[Caller],
    now: Clock,
    sleep: Sleep,
    pool: Executor,
) -> None:
    """Start each arrival when it is due, whatever became of those before, and wait for all."""
    start, calls = now(), list[Future[None]]()
    for arrival in planned:
        due = start + arrival.at
        sleep(max(0.0, due - now()))
        calls.append(pool.submit(callers[arrival.user].call, arrival.operation, due=due))
    for call in calls:
        call.result()


def _instants(*, rate: float, seconds: float, rng: random.Random | None) -> Iterator[float]:
    """Yield instants below `seconds`: a Poisson process, or without rng at equal distances."""
    at = rng.expovariate(rate) if rng else 0.0
    while at < seconds:
        yield at
        at += rng.expovariate(rate) if rng else 1 / rate


def _weight(name: str, text: str) -> float:
    if name not in OPERATIONS:
        raise LoadError(f"Unknown operation {name!r}: use {', '.join(OPERATIONS)}.")
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    if not 0 < weight < float("inf"):
        raise LoadError(f"The weight of {name} must be a number above 0, for example {name}=3.")
    return weight
