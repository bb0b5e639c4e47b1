"""Who takes part, decided by the number of clients alone: the same people in every run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Roles of the clients, in turn. `device` is a second client of the person before it, with the same
# queue; `neighbour` shares the first apartment of the person before it.
_ROLES = ("owner", "device", "neighbour", "late", "mover", "thief", "owner", "late")


@dataclass(frozen=True)
class Part:
    """One client: whose (index of the person), what they do, and in which apartments (indexes)."""

    client: str
    role: str
    person: int
    homes: tuple[int, ...]
    shares_queue: bool = False


def cast(clients: int) -> list[Part]:
    """Return the parts of so many clients; an owner has two apartments, all others one."""
    parts: list[Part] = []
    people = homes = 0
    for number in range(clients):
        role = _ROLES[number % len(_ROLES)]
        before = parts[-1] if parts else None
        name = f"c{number}"
        if role == "device" and before is not None:
            parts.append(Part(name, role, before.person, before.homes, shares_queue=True))
            continue
        if role == "neighbour" and before is not None:
            parts.append(Part(name, role, people, before.homes[:1]))
        else:
            count = 2 if role == "owner" else 1
            parts.append(Part(name, role, people, tuple(range(homes, homes + count))))
            homes += count
        people += 1
    return parts


def movers(parts: Sequence[Part]) -> list[Part]:
    """Return the parts of those whom the office lets move out and in again."""
    return [part for part in parts if part.role == "mover"]
