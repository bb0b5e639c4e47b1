"""The law of history sync: which part of an apartment's history a client holds, and what it lacks.

A client holds one unbroken stretch of history, from an instant of posting to another. A sync
extends it upward (what was posted since) and, if it starts later than the resident may see,
downward. Every part of an answer says which stretch the client holds once it has that part, so a
client that loses the rest goes on from there.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from billing_app.domain.errors import Rejection
from billing_app.domain.instants import TICK, format_instant, parse_instant

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """A stretch of history by posting instants, half-open: `date_down <= posted_at < date_up`."""

    date_down: datetime
    date_up: datetime

    def __post_init__(self) -> None:
        """Reject a frame that ends before it starts."""
        if self.date_down > self.date_up:
            raise Rejection("invalid_time_frame")

    def as_json(self) -> dict[str, str]:
        """Write the frame as the contract's `covered`."""
        return {
            "date_down": format_instant(self.date_down),
            "date_up": format_instant(self.date_up),
        }


@dataclass(frozen=True, slots=True)
class Position:
    """Where a client stands: it holds everything from `date_down` up to a place.

    The place is `after_seq`, a position in the apartment's history, or the instant `date_up`;
    the later of the two counts.
    """

    date_down: datetime
    date_up: datetime
    after_seq: int = 0


def frame_from(*, date_down: str | None, date_up: str | None) -> Frame | None:
    """Read the frame that a client sent; `None` when it holds nothing.

    Raises:
        Rejection: `invalid_time_frame`.
    """
    if date_down is None and date_up is None:
        return None
    if date_down is None or date_up is None:
        raise Rejection("invalid_time_frame")
    try:
        return Frame(date_down=parse_instant(date_down), date_up=parse_instant(date_up))
    except ValueError as error:
        raise Rejection("invalid_time_frame") from error


@dataclass(frozen=True, slots=True)
class Cursor:
    """The same as a frame, by sequence: opaque to clients."""

    apartment_id: UUID
    date_down: datetime
    date_up: datetime
    after_seq: int

    def encode(self) -> str:
        """Write the cursor as URL-safe text."""
        fields = [
            self.apartment_id.hex,
            format_instant(self.date_down),
            format_instant(self.date_up),
            self.after_seq,
        ]
        return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, *, apartment_id: UUID) -> Cursor:
        """Read a cursor that was handed out for this apartment.

        Raises:
            Rejection: `invalid_cursor`.
        """
        try:
            cursor = cls._parse(text)
        except (ValueError, TypeError, binascii.Error) as error:
            raise Rejection("invalid_cursor") from error
        if cursor.apartment_id != apartment_id:
            raise Rejection("invalid_cursor")
        return cursor

    @classmethod
    def _parse(cls, text: str) -> Cursor:
        padded = text + "=" * (-len(text) % 4)
        *texts, after_seq = json.loads(base64.urlsafe_b64decode(padded))
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("not a cursor")
        apartment, date_down, date_up = texts
        if type(after_seq) is not int or not 0 <= after_seq < 2**63:
            raise ValueError("not a position")
        return cls(
            apartment_id=UUID(hex=apartment),
            date_down=parse_instant(date_down),
            date_up=parse_instant(date_up),
            after_seq=after_seq,
        )


@dataclass(frozen=True, slots=True)
class Bounds:
    """What of an apartment's history exists for a resident: `visible_from` up to the last post."""

    visible_from: datetime
    last_posted_at: datetime | None

    @property
    def end(self) -> datetime:
        """The instant just after the last posting, or the start while there is none."""
        if self.last_posted_at is None:
            return self.visible_from
        return max(self.visible_from, self.last_posted_at + TICK)


@dataclass(frozen=True, slots=True)
class Step:
    """One event, and the stretch that a client holds once it has this and all events before it."""

    event: Event
    covered: Position


def upward_steps(events: Sequence[Event], *, start: Position) -> list[Step]:
    """Extend the stretch upward with events in the order of their sequence."""
    return [
        Step(
            event=event,
            covered=Position(
                date_down=start.date_down,
                date_up=parse_instant(event["posted_at"]) + TICK,
                after_seq=event["seq"],
            ),
        )
        for event in events
    ]


def downward_steps(events: Sequence[Event], *, start: Position, floor: datetime) -> list[Step]:
    """Extend the stretch downward with events older than it, the latest first, to `floor`."""
    steps = [
        Step(
            event=event,
            covered=Position(
                date_down=parse_instant(event["posted_at"]),
                date_up=start.date_up,
                after_seq=start.after_seq,
            ),
        )
        for event in reversed(events)
    ]
    if steps:
        reached_floor = Position(floor, start.date_up, start.after_seq)
        steps[-1] = Step(event=steps[-1].event, covered=reached_floor)
    return steps
