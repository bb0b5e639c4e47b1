"""What those who take part in a run know of each other."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import Any, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class User:
    """A user of the pool. `sub` is their subject."""

    sub: str
    username: str
    password: str


@dataclass(frozen=True)
class SentBill:
    """A bill as operators issued it: `line` is the import's, without its number."""

    bill_id: str
    apartment: str
    line: dict[str, Any]


@dataclass
class SharedState:
    """Bills and ids of payments; the lists only grow, and threads may share them."""

    bills: list[SentBill] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, items: list[Item], item: Item) -> None:
        """Add to one of the lists, once."""
        with self._lock:
            if item not in items:
                items.append(item)

    def pick(self, items: list[Item], rng: random.Random) -> Item | None:
        """Choose one of the newer items of a list, None when it is empty."""
        with self._lock:
            newer = items[-40:]
        return rng.choice(newer) if newer else None
