"""The local copy of an apartment's history, and how it is brought up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from billing_client.errors import RequestRejected, UnexpectedAnswer
from billing_client.models import Frame, HistoryEvent, HistoryPart
from billing_client.serialization import (
    Fields,
    decode_event,
    decode_frame,
    encode_bill,
    encode_frame,
    parse_instant,
)

# The service doesn't know our frame: it was restored from a backup, or the cursor isn't its own.
START_AGAIN = frozenset({"history_frame_unknown", "invalid_cursor", "invalid_time_frame"})


@dataclass(frozen=True)
class HistoryState:
    """Exactly the events inside `covered`, in the order of their posting.

    A new state holds nothing. Each part of the service's answer names the frame that is held
    once it is added, so the state is complete up to there whichever part comes last.
    """

    apartment_id: str
    covered: Frame | None = None
    cursor: str | None = None
    events: tuple[HistoryEvent, ...] = ()

    def extended(self, part: HistoryPart) -> HistoryState:
        """Return the state with a part added.

        Raises:
            UnexpectedAnswer: The part belongs to another apartment.
        """
        if part.apartment_id != self.apartment_id:
            raise UnexpectedAnswer("The history belongs to another apartment.")
        merged = {event.identity: event for event in (*self._kept(part.covered), *part.events)}
        events = tuple(sorted(merged.values(), key=lambda event: (event.posted, event.identity)))
        return HistoryState(self.apartment_id, part.covered, part.cursor, events)

    def can_take(self, part: HistoryPart) -> bool:
        """Tell whether we know which events to keep.

        A frame that shrinks keeps the events posted inside it, so all need a posting instant.
        """
        return not self._shrinks_to(part.covered) or all(
            event.posted_at is not None for event in self.events
        )

    def _kept(self, covered: Frame) -> Iterator[HistoryEvent]:
        shrinks = self._shrinks_to(covered)
        down, up = parse_instant(covered.date_down), parse_instant(covered.date_up)
        return (event for event in self.events if not shrinks or down <= event.posted < up)

    def _shrinks_to(self, covered: Frame) -> bool:
        if self.covered is None:
            return False
        return parse_instant(covered.date_down) > parse_instant(
            self.covered.date_down
        ) or parse_instant(covered.date_up) < parse_instant(self.covered.date_up)

    def request_body(self) -> dict[str, Any]:
        """Return the frame and cursor of a request for the events that are missing."""
        frame = encode_frame(self.covered) or {"date_up": None, "date_down": None}
        return frame if self.cursor is None else {**frame, "cursor": self.cursor}

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "apartment_id": self.apartment_id,
            "covered": encode_frame(self.covered),
            "cursor": self.cursor,
            "events": [encode_bill(event) for event in self.events],
        }

    @classmethod
    def from_json(cls, value: object) -> HistoryState:
        """Read what `as_json` wrote.

        Raises:
            UnexpectedAnswer: `value` is something else.
        """
        fields = Fields.of(value, "history")
        return cls(
            apartment_id=fields.text("apartment_id"),
            covered=decode_frame(fields.inner("covered")) if fields.has("covered") else None,
            cursor=fields.optional_text("cursor"),
            events=tuple(decode_event(item) for item in fields.items("events")),
        )


Ask = Callable[[HistoryState], list[HistoryPart]]


def sync_steps(ask: Ask, state: HistoryState) -> Iterator[HistoryState]:
    """Yield the state after each part, until the service has no more.

    `ask` fetches one answer. Each state is complete in itself: you can store it, stop there and
    continue later.
    """
    more = True
    while more:
        before = state
        state, answer = _ask_or_start_again(ask, state)
        more = answer[-1].more
        if not state.can_take(answer[0]):
            state, more = HistoryState(state.apartment_id), True
            continue
        for part in answer:
            state = state.extended(part)
            yield state
        if more and state == before:
            raise UnexpectedAnswer("The history has more events, but makes no progress.")


def _ask_or_start_again(ask: Ask, state: HistoryState) -> tuple[HistoryState, list[HistoryPart]]:
    """Return the answer and the state it extends: an empty one if the service rejects ours."""
    try:
        return state, ask(state)
    except RequestRejected as rejected:
        if rejected.code not in START_AGAIN or state.covered is None:
            raise
    nothing = HistoryState(state.apartment_id)
    return nothing, ask(nothing)
