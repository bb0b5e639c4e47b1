"""A client's copy of an apartment's history, kept by the rules of docs/api.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Identity = tuple[str, str, str]


@dataclass
class HistoryCopy:
    """Events by identity (event, payment, bill) with their posting instants, and the frame."""

    events: dict[Identity, str] = field(default_factory=dict)
    frame: Mapping[str, str] | None = None
    cursor: str | None = None
    more: bool = True

    def question(self, how: str) -> Json:
        """Return the body of the next request: `how` is nothing, frame or cursor."""
        if how == "nothing" or self.frame is None:
            return {"date_down": None, "date_up": None}
        body = {name: self.frame[name] for name in ("date_down", "date_up")}
        return body if how == "frame" else {**body, "cursor": self.cursor}

    def take(self, parts: Sequence[Mapping[str, Any]]) -> None:
        """Take the data of an answer's parts in their order: `covered` is authoritative."""
        for part in parts:
            for event in part["settled_debts"]:
                self.events[_identity(event)] = event["posted_at"]
            self.frame, self.cursor = part["covered"], part["cursor"]
            self.more = part["more"]
            self._drop_what_lies_outside()

    def _drop_what_lies_outside(self) -> None:
        frame = self.frame or {}
        down, up = frame["date_down"], frame["date_up"]
        # Instants all have the same shape, so they sort as text.
        self.events = {who: at for who, at in self.events.items() if down <= at < up}

    def forget(self) -> None:
        """Hold nothing any more."""
        self.events, self.frame, self.cursor, self.more = {}, None, None, True

    def identities(self) -> list[list[str]]:
        """Return who is in it, sorted by posting instant."""
        return [list(who) for who in sorted(self.events, key=lambda who: self.events[who])]


def _identity(event: Mapping[str, Any]) -> Identity:
    return event["event"], event["payment_id"], event["bill_id"]
