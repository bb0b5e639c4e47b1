"""Every state that a small system can reach, the nearest first, and the shortest way to a bad one.

A system is any hashable value. States are remembered, so interleavings that meet are followed once:
that is what makes "all of them" affordable, and it leaves out none.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

State = TypeVar("State", bound=Hashable)


class Move(NamedTuple, Generic[State]):
    """Something that happens, in words; `broken` says which promise it broke."""

    told: str
    then: State
    broken: str | None = None


@dataclass
class Explored:
    """What was looked at. `counterexample` is empty when no reachable move breaks a promise.

    Otherwise it is the shortest scenario at whose end one is broken.
    """

    states: int = 0
    moves: Counter[str] = field(default_factory=Counter)
    counterexample: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Tell the numbers, and the counterexample one step a line."""
        numbers = f"{self.states} states, {self.moves.total()} moves"
        return "\n  ".join([numbers, *self.counterexample])


def explore(start: State, moves: Callable[[State], Iterable[Move[State]]]) -> Explored:
    """Visit all that can be reached from `start`; end early at the first broken promise.

    Args:
        start: The first state.
        moves: Lists all that can happen next.
    """
    found = Explored()
    came_from: dict[State, tuple[State, str] | None] = {start: None}
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        found.states += 1
        for move in moves(state):
            found.moves[move.told] += 1
            if move.broken is not None:
                way = reversed(list(_way_back(came_from, state)))
                found.counterexample = (*way, move.told, move.broken)
                return found
            if move.then not in came_from:
                came_from[move.then] = (state, move.told)
                waiting.append(move.then)
    return found


def _way_back(came_from: dict[State, tuple[State, str] | None], state: State) -> Iterator[str]:
    while (step := came_from[state]) is not None:
        state, told = step
        yield told
