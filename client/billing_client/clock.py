"""Time as the client uses it: deadlines and growing pauses."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Elapsed time and waiting, in seconds."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The clock of this machine."""

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True)
class Deadline:
    """The moment by which a call returns or raises."""

    at: float
    clock: Clock

    @classmethod
    def after(cls, seconds: float, clock: Clock) -> Deadline:
        return cls(clock.monotonic() + seconds, clock)

    def remaining(self) -> float:
        """Return the seconds left, never below zero."""
        return max(0.0, self.at - self.clock.monotonic())

    @property
    def passed(self) -> bool:
        return self.remaining() <= 0

    def pause(self, seconds: float) -> None:
        """Sleep, but not beyond the deadline."""
        self.clock.sleep(min(seconds, self.remaining()))


class Backoff:
    """Pauses that double up to a cap.

    Each is shortened at random, so that clients which failed together don't return together.
    """

    def __init__(self, *, first_seconds: float = 0.1, cap_seconds: float = 2.0) -> None:
        self._first = first_seconds
        self._cap = cap_seconds
        self._random = random.SystemRandom()
        self._next = first_seconds

    def next_pause(self) -> float:
        """Return the seconds to pause now, and double the next pause."""
        pause = self._next
        self._next = min(self._cap, self._next * 2)
        return pause * self._random.uniform(0.5, 1.0)

    def reset(self) -> None:
        self._next = self._first
