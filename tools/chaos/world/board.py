"""What clients and office know of each other: bills sent, payments made, queue names overheard."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import Any, TypeVar

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class SentBill:
    """A bill as the office issued it: `line` is the import's, without its number."""

    bill_id: str
    apartment: str
    line: dict[str, Any]


@dataclass
class Board:
    """Lists that only grow; threads may share them."""

    bills: list[SentBill] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)
    # (user, apartment, queue_name): what a thief may have overheard.
    queues: list[tuple[str, str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, things: list[Thing], thing: Thing) -> None:
        """Put a thing on one of the lists, once."""
        with self._lock:
            if thing not in things:
                things.append(thing)

    def pick(self, things: list[Thing], rng: random.Random) -> Thing | None:
        """Choose one of the newer things of a list, None when it is empty."""
        with self._lock:
            newer = things[-40:]
        return rng.choice(newer) if newer else None
