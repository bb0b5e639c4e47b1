"""Shipped code one port call at a time, without threads.

Code that only talks to the system through its ports is a function of their answers. So a place in
the middle of it is told by the answers that it was given so far: it is run again from its start
with these, and stopped at the first call beyond them. Places are tuples, kept and compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from billing_app.domain.errors import Rejection

Answers = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a port that waits for its answer."""

    name: str
    given: Any = None


@dataclass(frozen=True, slots=True)
class Finished:
    """What the code returned, or the code of the rejection that it raised."""

    result: Any = None
    rejected: str | None = None


class Paused(BaseException):
    """Stops code at a call; not an Exception, so that no shipped handler takes it for trouble."""

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self.call = call


class Script:
    """The answers that the code was given so far."""

    def __init__(self, answers: Answers) -> None:
        self._answers = iter(answers)
        self._paused: Paused | None = None

    def ask(self, name: str, given: Any = None) -> Any:
        """Give the next answer of the script, or stop the code here.

        Code that is stopped may still call ports in its `finally`; that did not happen yet.
        """
        for answer in self._answers:
            return answer
        self._paused = self._paused or Paused(Call(name, given))
        raise self._paused


def run(program: Callable[[Script], Any], answers: Answers) -> Call | Finished:
    """Run code to its first call without an answer, or to its end."""
    try:
        return Finished(program(Script(answers)))
    except Paused as paused:
        return paused.call
    except Rejection as rejection:
        return Finished(rejected=rejection.code)
