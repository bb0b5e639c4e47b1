"""The end of the time that a function has for the work on hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import monotonic

from billing_app.domain.errors import Unavailable


class Deadline:
    """Lets a call begin only if it ends in time whatever happens to it.

    So the slowest way through a function needs no sum of timeouts and attempts: however many calls
    there are, it is never cut off in the midst of one. There is no end until `start`.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._last = self._ends = math.inf

    def start(self, seconds: float) -> None:
        """Begin with so many seconds for everything."""
        self._last = self._ends = self._now() + seconds

    def divide(self, parts: int) -> None:
        """Give what comes next an equal share of the time that is left."""
        self._ends = self._now() + (self._last - self._now()) / parts

    def require(self, seconds: float) -> None:
        """See that a call may take so many seconds.

        Raises:
            Unavailable: it might not end in time.
        """
        if self._now() + seconds > self._ends:
            raise Unavailable("there is no time left for another call")
