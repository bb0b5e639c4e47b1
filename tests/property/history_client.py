"""A client of the history, written from "Syncing the history" in docs/api.md alone.

It is a value: what it holds can be kept, compared, and gone back to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Json = dict[str, Any]
# What a client may say that it holds. The cursor says the same as the frame, more exactly.
CURSOR, FRAME, NOTHING = "cursor", "frame", "nothing"


class Held(NamedTuple):
    """An event that a client keeps: its identity, and when it was posted."""

    event: str
    payment_id: str
    bill_id: str
    posted_at: str


@dataclass(frozen=True, slots=True)
class HistoryClient:
    """Exactly the events inside `covered`; nothing at first."""

    covered: tuple[str, str] | None = None
    cursor: str | None = None
    events: frozenset[Held] = frozenset()

    def asks(self, by: str) -> Json:
        """Return the fields of a request, 1 and 2 of the protocol."""
        if by == NOTHING or self.covered is None:
            return {"date_down": None, "date_up": None, "cursor": None}
        date_down, date_up = self.covered
        cursor = self.cursor if by == CURSOR else None
        return {"date_down": date_down, "date_up": date_up, "cursor": cursor}

    def take(self, part: Mapping[str, Any]) -> HistoryClient:
        """Return what is held with a part, 3 of the protocol: `covered` is authoritative."""
        down, up = part["covered"]["date_down"], part["covered"]["date_up"]
        kept = self.events | held_of(part["settled_debts"])
        inside = (held for held in kept if down <= held.posted_at < up)
        return HistoryClient((down, up), part["cursor"], frozenset(inside))

    def take_all(self, parts: Iterable[Mapping[str, Any]]) -> HistoryClient:
        """Return what is held with several parts, in their order."""
        client = self
        for part in parts:
            client = client.take(part)
        return client


def held_of(events: Iterable[Mapping[str, Any]]) -> frozenset[Held]:
    """Return events of an answer as a client keeps them."""
    return frozenset(Held(*(event[name] for name in Held._fields)) for event in events)
