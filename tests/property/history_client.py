"""A client of the history, written from "Syncing the history" in docs/api.md alone.

It is a value: what it holds can be kept, compared, and gone back to.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Identity = tuple[str, str, str]
# What a client may say that it holds. The cursor says the same as the frame, more exactly.
CURSOR, FRAME, NOTHING = "cursor", "frame", "nothing"
START_AGAIN = frozenset({"history_frame_unknown", "invalid_cursor"})


@dataclass(frozen=True, slots=True)
class Held:
    """An event that a client keeps, with all that it was told as JSON."""

    identity: Identity
    posted_at: str
    told: str

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Held:
        """Take over an event of an answer."""
        identity = event["event"], event["payment_id"], event["bill_id"]
        return cls(identity, event["posted_at"], json.dumps(event, sort_keys=True))


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
        kept = {held.identity: held for held in self.events}
        kept |= {held.identity: held for held in map(Held.of, part["settled_debts"])}
        down, up = part["covered"]["date_down"], part["covered"]["date_up"]
        inside = (held for held in kept.values() if down <= held.posted_at < up)
        return HistoryClient((down, up), part["cursor"], frozenset(inside))

    def take_all(self, parts: Iterable[Mapping[str, Any]]) -> HistoryClient:
        """Return what is held with several parts, in their order."""
        client = self
        for part in parts:
            client = client.take(part)
        return client

    def may_have_asked(self, by: str) -> HistoryClient:
        """Return what such a request was made from: who says that they hold nothing, forgets."""
        return HistoryClient() if by == NOTHING else self


def usable(delivered: Iterable[tuple[int, Json]]) -> list[Json]:
    """Return the parts that can be taken in the order of `part`: each once, up to the first gap."""
    by_number = dict(delivered)
    parts: list[Json] = []
    while len(parts) + 1 in by_number:
        parts.append(by_number[len(parts) + 1])
    return parts
