"""Lets the faults of a plan strike in their time, and sees that each of them ends."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from tools.chaos.errors import NotStarted
from tools.chaos.faults import FAULTS, Fault, Stage
from tools.chaos.plan import Stroke

# Gets what happened: name, phase (begin or end) and what is known of it.
Note = Callable[[str, str, dict[str, Any]], None]

_LOOK_SECONDS = 0.03
# A gateway that was killed is back after some seconds; one that isn't never will be.
_LONGEST_ABSENCE_SECONDS = 120.0


class Conductor:
    """Plays a plan in the thread that calls it, which must be the one that started the servers.

    Its time stands still while the service is not ``reachable``: nobody would notice a fault.
    """

    def __init__(self, stage: Stage, note: Note, *, reachable: Callable[[], bool]) -> None:
        self._stage = stage
        self._note = note
        self._reachable = reachable
        self._present: list[tuple[Stroke, Fault]] = []

    def play(self, strokes: Sequence[Stroke], *, seconds: float) -> None:
        """Strike for that long; whatever happens, no fault lasts longer than this call.

        Raises NotStarted when the service stays away.
        """
        coming = sorted(strokes, key=lambda stroke: stroke.at)
        now = 0.0
        try:
            while now < seconds:
                while coming and coming[0].at <= now:
                    self._begin(coming.pop(0))
                self._end_due(now)
                now += self._seconds_present()
        finally:
            self._end_due(float("inf"))

    def _seconds_present(self) -> float:
        """Let a moment pass; return how long it was, without the time the service was away."""
        looked = time.monotonic()
        time.sleep(_LOOK_SECONDS)
        if self._reachable():
            return time.monotonic() - looked
        while not self._reachable():
            if time.monotonic() - looked > _LONGEST_ABSENCE_SECONDS:
                raise NotStarted("The gateway did not come back.")
            time.sleep(_LOOK_SECONDS)
        return 0.0

    def _begin(self, stroke: Stroke) -> None:
        rng = random.Random(stroke.seed)
        fault = FAULTS[stroke.name](self._stage, stroke.variant, rng)
        self._note(stroke.name, "begin", _variant(stroke))
        self._present.append((stroke, fault))
        fault.begin()

    def _end_due(self, now: float) -> None:
        for stroke, fault in list(self._present):
            if stroke.until <= now or fault.over():
                self._present.remove((stroke, fault))
                fault.end()
                self._note(stroke.name, "end", _variant(stroke) | fault.report())


def _variant(stroke: Stroke) -> dict[str, Any]:
    return {"variant": stroke.variant} if stroke.variant else {}
