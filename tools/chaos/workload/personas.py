"""Who takes part, decided by the number of clients alone, and what they know of each other."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import Any, TypeVar

Item = TypeVar("Item")

# Roles of the clients, in turn. `device` is a second client of the user before it, with the same
# queue; `neighbour` shares the first apartment of the user before it.
_ROLES = ("owner", "device", "neighbour", "late", "mover", "attacker", "owner", "late")


@dataclass(frozen=True)
class Persona:
    """One client: its role, the user (an index), and in which apartments (indexes)."""

    client: str
    role: str
    user: int
    apartments: tuple[int, ...]


def personas(clients: int) -> list[Persona]:
    """Return so many clients; an owner has two apartments, all others one."""
    found: list[Persona] = []
    users = apartments = 0
    for number in range(clients):
        role, name = _ROLES[number % len(_ROLES)], f"c{number}"
        if role == "device":
            found.append(Persona(name, role, found[-1].user, found[-1].apartments))
            continue
        if role == "neighbour":
            theirs = found[-1].apartments[:1]
        else:
            count = 2 if role == "owner" else 1
            theirs = tuple(range(apartments, apartments + count))
            apartments += count
        found.append(Persona(name, role, users, theirs))
        users += 1
    return found


@dataclass(frozen=True)
class SentBill:
    """A bill as operators issued it: `line` is the import's, without its number."""

    bill_id: str
    apartment: str
    line: dict[str, Any]


@dataclass
class SharedState:
    """Lists that only grow; threads may share them."""

    bills: list[SentBill] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)
    # (user, apartment, queue_name): what an attacker may know.
    queues: list[tuple[str, str, str]] = field(default_factory=list)
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
