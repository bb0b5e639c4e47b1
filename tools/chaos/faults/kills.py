"""Processes that die: workers and gateway, as functions and hosts do."""

from __future__ import annotations

import threading
from typing import Any

from tools.chaos.faults.base import Fault
from tools.chaos.proxies import STEPS, Moment, Proxy


class KillAtStep(Fault):
    """Kills the first worker that comes to the step."""

    name = "kill_at_step"
    summary = (
        "SIGKILL of a worker exactly when it has `received`, before it pays (`before_payment`),"
        " while its statement runs (`in_commit`), when its payment is committed and unknown to it"
        " (`committed`), after it has `replied`, `before_delete`"
    )
    variants = STEPS
    needs_all = True
    seconds = (3.5, 5.0)

    def begin(self) -> None:
        """Watch for the step."""
        self._killed: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        for proxy in self._proxies:
            proxy.watch(self._see)

    def end(self) -> None:
        """Watch no more; localcloud starts another worker, as Lambda does."""
        for proxy in self._proxies:
            proxy.unwatch(self._see)

    def over(self) -> bool:
        """One kill is enough."""
        return bool(self._killed)

    def report(self) -> dict[str, Any]:
        """Name whom it hit."""
        return {"killed": self._killed}

    @property
    def _proxies(self) -> tuple[Proxy, ...]:
        servers = self.stage.servers
        return servers.postgres_door, servers.aws_door

    def _see(self, moment: Moment) -> None:
        if moment.step != self.variant:
            return
        with self._lock:
            names = {pid: name for name, pid in self.stage.service.workers().items()}
            if self._killed or moment.pid not in names:
                return
            self.stage.kill(moment.pid)
            self._killed.append({"worker": names[moment.pid], "queue": moment.queue})


class KillRandom(Fault):
    """Kills some workers, or the gateway, whatever they are at."""

    name = "kill_random"
    summary = "SIGKILL of some workers, or of the gateway, at any moment"
    variants = ("workers", "gateway")
    seconds = (1.0, 2.0)

    def begin(self) -> None:
        """Kill."""
        workers = self.stage.service.workers()
        self._victims = ["gateway"]
        if self.variant == "workers":
            self._victims = self.rng.sample(sorted(workers), k=min(3, len(workers)))
        pids = self.stage.service.cloud.pids
        for name in self._victims:
            self.stage.kill(pids[name])

    def end(self) -> None:
        """Do nothing: the supervisor starts others."""

    def report(self) -> dict[str, Any]:
        """Name whom it hit."""
        return {"killed": self._victims}
