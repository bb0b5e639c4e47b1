"""A client brings its copy of the settled debts up to date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing_app.domain.errors import Rejection
from billing_app.domain.history import Position, Step, downward_steps, upward_steps
from billing_app.domain.instants import TICK
from billing_app.ports.ledger import ApartmentReader, HistoryPage, HistoryQuery

# Events in one answer: about five messages. A client with less asks on with the cursor.
PAGE_EVENTS = 2_000


@dataclass(frozen=True, slots=True)
class HistoryUpdate:
    """What a client lacks, in steps that it can take one by one.

    `end` is where it stands after the last step, and `more` says whether there is more beyond.
    What a client holds outside of that range, it drops.
    """

    apartment_id: UUID
    version: int
    steps: Sequence[Step]
    end: Position
    more: bool


@dataclass(frozen=True, slots=True)
class HistorySync:
    """One resident brings one apartment's history up to date."""

    reader: ApartmentReader
    subject: UUID
    apartment_id: UUID

    def update(self, start: Position | None) -> HistoryUpdate:
        """Return what a client lacks that stands at `start`; at None it holds nothing.

        Raises:
            Rejection: `apartment_not_found`, `history_frame_unknown`.
            Unavailable: the database does not answer.
        """
        page = self._page(_upward_query(start))
        if not page.known_end_exists:
            raise Rejection("history_frame_unknown")
        held = _clamp(start, floor=page.visible_from)
        upward = upward_steps(page.events, start=held)
        if page.more:
            return self._update(page, upward, upward[-1].covered, more=True)
        after_seq = upward[-1].covered.after_seq if upward else held.after_seq
        top = Position(held.date_down, _end(page), after_seq)
        if held.date_down == page.visible_from:
            return self._update(page, upward, top)
        return self._extend_downward(page, upward, top)

    def _extend_downward(
        self, page: HistoryPage, upward: list[Step], top: Position
    ) -> HistoryUpdate:
        """Add what is older than the client's range.

        With too much of it, or when the ledger moved between the two reads, all is read afresh:
        one page is one snapshot.
        """
        older = self._page(HistoryQuery(0, top.date_down, None, PAGE_EVENTS))
        if older.more or older.version != page.version:
            return self.update(None)
        floor = page.visible_from
        downward = downward_steps(older.events, start=top, floor=floor)
        return self._update(page, [*upward, *downward], Position(floor, top.date_up, top.after_seq))

    def _page(self, query: HistoryQuery) -> HistoryPage:
        page = self.reader.history(
            subject=self.subject, apartment_id=self.apartment_id, query=query
        )
        if page is None:
            raise Rejection("apartment_not_found")
        return page

    def _update(
        self, page: HistoryPage, steps: Sequence[Step], end: Position, *, more: bool = False
    ) -> HistoryUpdate:
        return HistoryUpdate(self.apartment_id, page.version, steps, end, more)


def _upward_query(start: Position | None) -> HistoryQuery:
    if start is None:
        return HistoryQuery(0, None, None, PAGE_EVENTS)
    return HistoryQuery(start.after_seq, None, start.date_up, PAGE_EVENTS)


def _clamp(start: Position | None, *, floor: datetime) -> Position:
    """Keep of the client's range what its resident may see now."""
    if start is None:
        return Position(floor, floor)
    return Position(max(start.date_down, floor), max(start.date_up, floor), start.after_seq)


def _end(page: HistoryPage) -> datetime:
    """Return the instant just after the last posting, or the start while there is none."""
    if page.last_posted_at is None:
        return page.visible_from
    return max(page.visible_from, page.last_posted_at + TICK)
