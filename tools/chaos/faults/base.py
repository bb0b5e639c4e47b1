"""What every fault has: a name, a beginning and an end, and the stage that it strikes."""

from __future__ import annotations

import os
import random
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from tools.chaos.servers import Servers
from tools.chaos.service import Service


@dataclass(frozen=True)
class Stage:
    """All that a fault can strike."""

    servers: Servers
    service: Service

    def kill(self, pid: int) -> None:
        """End a process of the service, at once."""
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            # It has just ended itself.
            return


class Fault(ABC):
    """One stroke. ``begin`` and ``end`` are called from one thread, ``end`` always.

    ``variants`` are ways to strike: a plan has one of each fault early, of a fault that
    ``needs_all`` every one, and the others when there is time. ``seconds`` is the shortest and the
    longest time between beginning and end; a fault that is ``over`` before ends before.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    variants: ClassVar[tuple[str, ...]] = ("",)
    needs_all: ClassVar[bool] = False
    seconds: ClassVar[tuple[float, float]] = (1.5, 3.0)

    def __init__(self, stage: Stage, variant: str, rng: random.Random) -> None:
        self.stage = stage
        self.variant = variant
        self.rng = rng

    @abstractmethod
    def begin(self) -> None:
        """Strike."""

    @abstractmethod
    def end(self) -> None:
        """Make whole what was struck, as far as somebody would in the cloud."""

    def over(self) -> bool:
        """Tell whether there is nothing more to wait for."""
        return False

    def report(self) -> dict[str, Any]:
        """Say what it did, for the record of its end."""
        return {}

    def sometimes(self, chance: float) -> Callable[..., bool]:
        """Choose calls by chance, whatever they are."""
        return lambda *_: self.rng.random() < chance
