"""What is asked when: a mix of operations and the instants at which they arrive."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tools.load.errors import LoadError

OPERATIONS = ("login", "debts", "pay", "sync")


@dataclass(frozen=True)
class Mix:
    """How often each operation is asked for, relative to the others."""

    weights: Mapping[str, float]

    @classmethod
    def parse(cls, text: str) -> Mix:
        """Read ``debts=5,pay=2``; raises LoadError for an unknown operation or a weight <= 0."""
        parts = (part.strip().partition("=") for part in text.split(","))
        return cls({name: _weight(name, weight) for name, _, weight in parts})

    def pick(self, rng: random.Random) -> str:
        """Choose an operation by the weights."""
        return rng.choices(list(self.weights), weights=list(self.weights.values()))[0]

    def share(self, operation: str) -> float:
        """Return how much of all that is asked is this operation, from 0 to 1."""
        return self.weights.get(operation, 0.0) / sum(self.weights.values())

    def __str__(self) -> str:
        return ",".join(f"{name}={weight:g}" for name, weight in self.weights.items())


@dataclass(frozen=True)
class Arrival:
    """One operation of an open loop. ``at`` is when it is meant to start, in seconds of the run."""

    at: float
    operation: str
    user: int

    def later(self, seconds: float) -> Arrival:
        """Return the same arrival, so much later."""
        return replace(self, at=self.at + seconds)


def arrivals(
    *, rate: float, seconds: float, poisson: bool, mix: Mix, users: int, seed: str
) -> list[Arrival]:
    """Return the arrivals of that many seconds; the same seed gives the same ones."""
    rng = random.Random(seed)
    instants = _instants(rate=rate, seconds=seconds, rng=rng if poisson else None)
    return [Arrival(at, mix.pick(rng), rng.randrange(users)) for at in instants]


def _instants(*, rate: float, seconds: float, rng: random.Random | None) -> Iterator[float]:
    """Yield instants below ``seconds``: a Poisson process, or without rng at equal distances."""
    at = rng.expovariate(rate) if rng else 0.0
    while at < seconds:
        yield at
        at += rng.expovariate(rate) if rng else 1 / rate


def _weight(name: str, text: str) -> float:
    if name not in OPERATIONS:
        raise LoadError(f"{name!r} is no operation; there are {', '.join(OPERATIONS)}.")
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    if not 0 < weight < float("inf"):
        raise LoadError(f"The weight of {name} must be a number above 0, e.g. {name}=3.")
    return weight
