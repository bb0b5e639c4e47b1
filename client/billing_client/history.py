"""The history that a client holds of one apartment, and how it is brought up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing_client.answers import Frame, HistoryEvent, HistoryPart
from billing_client.decoding import decode_event, decode_frame
from billing_client.encoding import encode_event, encode_frame
from billing_client.errors import RequestRejected, UnexpectedAnswer
from billing_client.fields import Fields, parse_instant

# The service does not know what we hold: it was restored, or the cursor is not its own.
START_AGAIN = frozenset({"history_frame_unknown", "invalid_cursor", "invalid_time_frame"})


@dataclass(frozen=True)
class HistoryState:
    """Exactly the events inside ``covered``, in the order of their posting.

    A new state holds nothing. States are only made by the service's parts, each of which tells
    the frame that is held with it; so whatever part comes last, the state is whole up to there.
    """

    apartment_id: str
    covered: Frame | None = None
    cursor: str | None = None
    events: tuple[HistoryEvent, ...] = ()

    def extended(self, part: HistoryPart) -> HistoryState:
        """Return the state with a part; raises UnexpectedAnswer if it is another apartment's."""
        if part.apartment_id != self.apartment_id:
            raise UnexpectedAnswer("The history is that of another apartment.")
        merged = {event.identity: event for event in (*self._kept(part.covered), *part.events)}
        events = tuple(sorted(merged.values(), key=_order))
        return HistoryState(self.apartment_id, part.covered, part.cursor, events)

    def can_take(self, part: HistoryPart) -> bool:
        """Tell whether it is known which events stay: not where a frame shrinks around them."""
        return not self._shrinks_to(part.covered) or all(
            event.posted_at is not None for event in self.events
        )

    def _kept(self, covered: Frame) -> Iterator[HistoryEvent]:
        shrinks = self._shrinks_to(covered)
        down, up = parse_instant(covered.date_down), parse_instant(covered.date_up)
        return (event for event in self.events if not shrinks or down <= _posted(event) < up)

    def _shrinks_to(self, covered: Frame) -> bool:
        if self.covered is None:
            return False
        return parse_instant(covered.date_down) > parse_instant(
            self.covered.date_down
        ) or parse_instant(covered.date_up) < parse_instant(self.covered.date_up)

    def request_body(self) -> dict[str, Any]:
        """Return what tells the service which events are held."""
        if self.covered is None:
            return {"date_up": None, "date_down": None}
        cursor = {} if self.cursor is None else {"cursor": self.cursor}
        return {**encode_frame(self.covered), **cursor}

    def as_json(self) -> dict[str, Any]:
        return {
            "apartment_id": self.apartment_id,
            "covered": None if self.covered is None else encode_frame(self.covered),
            "cursor": self.cursor,
            "events": [encode_event(event) for event in self.events],
        }

    @classmethod
    def from_json(cls, value: object) -> HistoryState:
        """Read what ``as_json`` wrote; raises UnexpectedAnswer if it is something else."""
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

    ``ask`` fetches one answer. Each state that is yielded is whole in itself: whoever keeps it
    can stop there and go on later.
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
            raise UnexpectedAnswer("The history has more, but does not go on.")


def _ask_or_start_again(ask: Ask, state: HistoryState) -> tuple[HistoryState, list[HistoryPart]]:
    """Return the answer and the state that it extends: an empty one if ours is not known."""
    try:
        return state, ask(state)
    except RequestRejected as rejected:
        if rejected.code not in START_AGAIN or state.covered is None:
            raise
    nothing = HistoryState(state.apartment_id)
    return nothing, ask(nothing)


def _posted(event: HistoryEvent) -> datetime:
    return event.posted_at or event.settled_at


def _order(event: HistoryEvent) -> tuple[datetime, tuple[str, str, str]]:
    return _posted(event), event.identity
