"""Injects the scheduled faults, and sees that each of them ends."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from tools.chaos.faults import FAULTS, Fault, Steps
from tools.chaos.schedule import ScheduledFault
from tools.chaos.servers import Servers
from tools.chaos.service import Service
from tools.local.errors import LocalStackError

# Gets what happened: name, phase (begin or end) and details.
Note = Callable[[str, str, dict[str, Any]], None]

_LOOK_SECONDS = 0.03
# A gateway that was killed is back after some seconds; one that isn't never will be.
_LONGEST_ABSENCE_SECONDS = 120.0


class Nemesis:
    """Runs a schedule in the thread that calls it, which must be the one that started the servers.

    Its time stands still while the service is not reachable: nobody would notice a fault.
    """

    def __init__(self, servers: Servers, service: Service, note: Note) -> None:
        self._servers = servers
        self._service = service
        self._note = note
        self._active: list[tuple[ScheduledFault, Fault, Steps]] = []

    def run(self, schedule: Sequence[ScheduledFault], *, seconds: float) -> None:
        """Inject faults for that long; whatever happens, no fault lasts longer than this call.

        Raises:
            LocalStackError: The service stays away.
        """
        coming = sorted(schedule, key=lambda scheduled: scheduled.at)
        now = 0.0
        try:
            while now < seconds:
                while coming and coming[0].at <= now:
                    self._begin(coming.pop(0))
                self._end_due(now)
                now += self._seconds_reachable()
        finally:
            self._end_due(float("inf"))

    def _seconds_reachable(self) -> float:
        """Let a moment pass; return how long it was, without the time the service was away."""
        looked = time.monotonic()
        time.sleep(_LOOK_SECONDS)
        if self._service.is_reachable():
            return time.monotonic() - looked
        while not self._service.is_reachable():
            if time.monotonic() - looked > _LONGEST_ABSENCE_SECONDS:
                raise LocalStackError("The gateway did not come back.")
            time.sleep(_LOOK_SECONDS)
        return 0.0

    def _begin(self, scheduled: ScheduledFault) -> None:
        rng = random.Random(scheduled.seed)
        fault = Fault(self._servers, self._service, scheduled.variant, rng)
        steps = FAULTS[scheduled.name].run(fault)
        self._note(scheduled.name, "begin", _variant(scheduled))
        self._active.append((scheduled, fault, steps))
        next(steps)

    def _end_due(self, now: float) -> None:
        for active in list(self._active):
            scheduled, fault, steps = active
            if scheduled.until <= now or fault.over.is_set():
                self._active.remove(active)
                next(steps, None)
                told = fault.report | {"struck": fault.struck}
                self._note(scheduled.name, "end", _variant(scheduled) | told)


def _variant(scheduled: ScheduledFault) -> dict[str, Any]:
    return {"variant": scheduled.variant} if scheduled.variant else {}
