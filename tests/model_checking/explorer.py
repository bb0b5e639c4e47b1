"""Every state that a small system can reach, the nearest first, and the shortest way to a bad one.

A system is any hashable value; `moves` lists all that can happen next. States are remembered, so
interleavings that meet are followed once: that is what makes "all of them" affordable, and it
leaves out none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

State = TypeVar("State", bound=Hashable)


class Move(NamedTuple, Generic[State]):
    """Something that happens.

    `kind` is for counting, `told` for the counterexample; `broken` says which promise broke.
    """

    kind: str
    told: str
    then: State
    broken: str | None = None


Moves = Callable[[State], Iterable[Move[State]]]


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The shortest scenario at whose end a promise is broken."""

    scenario: tuple[str, ...]
    broken: str

    def __str__(self) -> str:
        """Number the steps, one a line."""
        lines = [f"{number:3}. {step}" for number, step in enumerate(self.scenario, start=1)]
        return "\n".join([*lines, f"  => {self.broken}"])


@dataclass
class Explored:
    """What was looked at. `counterexample` is None when no reachable move breaks a promise."""

    states: int = 0
    moves: Counter[str] = field(default_factory=Counter)
    counterexample: Counterexample | None = None

    def __str__(self) -> str:
        """Tell the numbers in a line."""
        return f"{self.states} states, {self.moves.total()} moves"


def explore(
    start: State, moves: Moves[State], *, alike: Callable[[State], Hashable] = lambda state: state
) -> Explored:
    """Visit all that can be reached from `start`; end early at the first broken promise.

    Of states for which `alike` gives the same, one is visited: they differ in names alone.
    """
    found = Explored()
    came_from: dict[Hashable, tuple[Hashable, str] | None] = {alike(start): None}
    level = [start]
    while level:
        following: list[State] = []
        for state in level:
            found.states += 1
            for move in moves(state):
                found.moves[move.kind] += 1
                if move.broken is not None:
                    found.counterexample = _counterexample(came_from, alike(state), move)
                    return found
                name = alike(move.then)
                if name not in came_from:
                    came_from[name] = (alike(state), move.told)
                    following.append(move.then)
        level = following
    return found


def _counterexample(
    came_from: dict[Hashable, tuple[Hashable, str] | None], name: Hashable, last: Move[State]
) -> Counterexample:
    steps = [last.told]
    step = came_from[name]
    while step is not None:
        name, told = step
        steps.append(told)
        step = came_from[name]
    return Counterexample(tuple(reversed(steps)), last.broken or "")
