"""A client brings its copy of the settled debts up to date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from billing_app.domain.errors import Rejection
from billing_app.domain.history import (
    Bounds,
    Cursor,
    Event,
    Frame,
    Position,
    Step,
    downward_steps,
    upward_steps,
)
from billing_app.domain.instants import format_instant, parse_instant
from billing_app.domain.parts import PART_MAX_BYTES, cut
from billing_app.ports.cache import CachedResult, ResultCache
from billing_app.ports.ledger import HistoryPage, HistoryQuery, Ledger
from billing_app.use_cases.fresh_results import fresh_result
from billing_app.use_cases.payments import flat_provider

Json = dict[str, Any]

# Events in one answer: about five parts. A client with less asks on with the cursor.
PAGE_EVENTS = 2_000
# What a part holds beside its events.
_ENVELOPE_BYTES = 1_000


@dataclass(frozen=True, slots=True)
class HistoryReader:
    """One resident reads one apartment's history."""

    ledger: Ledger
    cache: ResultCache
    subject: UUID
    apartment_id: UUID

    def page(self, query: HistoryQuery) -> HistoryPage:
        """Return a page at the current version.

        Raises:
            Rejection: `apartment_not_found`.
            Unavailable: the database does not answer.
        """
        result = fresh_result(
            ledger=self.ledger,
            cache=self.cache,
            subject=self.subject,
            apartment_id=self.apartment_id,
            key=self._key(query),
            compute=lambda: self._compute(query),
        )
        return _page_from_json(result)

    def _key(self, query: HistoryQuery) -> str:
        """Name the page of one resident: each may see the history since another instant."""
        position = "/".join(str(value) for value in asdict(query).values())
        return f"history:{self.apartment_id.hex}:{self.subject.hex}:{position}"

    def _compute(self, query: HistoryQuery) -> CachedResult | None:
        page = self.ledger.history(
            subject=self.subject, apartment_id=self.apartment_id, query=query
        )
        return None if page is None else CachedResult(page.version, _page_to_json(page))


def sync_history(
    *,
    ledger: Ledger,
    cache: ResultCache,
    subject: UUID,
    apartment_id: UUID,
    frame: Frame | None,
    cursor: str | None,
) -> list[Json]:
    """Return the settled debts that the client lacks, in parts.

    Each part says what the client holds once it has it (`covered`, and the same as `cursor`) and
    whether there is `more` beyond it, in the next part or for the next request. `covered` counts:
    what a client cached outside of it, it drops.

    Raises:
        Rejection: `apartment_not_found`, `invalid_cursor`, `history_frame_unknown`.
        Unavailable: the database does not answer.
    """
    reader = HistoryReader(ledger, cache, subject, apartment_id)
    start = _position(frame=frame, cursor=cursor, apartment_id=apartment_id)
    answer = _read(reader, start)
    return _parts(answer, apartment_id=apartment_id)


@dataclass(frozen=True, slots=True)
class _Answer:
    version: int
    steps: Sequence[Step]
    end: Position
    more: bool


def _position(*, frame: Frame | None, cursor: str | None, apartment_id: UUID) -> Position | None:
    if cursor is not None:
        held = Cursor.decode(cursor, apartment_id=apartment_id)
        return Position(held.date_down, held.date_up, held.after_seq)
    return None if frame is None else Position(frame.date_down, frame.date_up)


def _read(reader: HistoryReader, start: Position | None) -> _Answer:
    page = reader.page(_upward_query(start))
    bounds = Bounds(page.visible_from, page.last_posted_at)
    if not page.frame_known:
        raise Rejection("history_frame_unknown")
    held = _clamp(start, bounds=bounds)
    upward = upward_steps(page.events, start=held)
    if page.more:
        return _Answer(page.version, upward, upward[-1].covered, more=True)
    after_seq = upward[-1].covered.after_seq if upward else held.after_seq
    top = Position(held.date_down, bounds.end, after_seq)
    if held.date_down == bounds.visible_from:
        return _Answer(page.version, upward, top, more=False)
    found = _Answer(page.version, upward, top, more=False)
    return _extend_downward(reader, found, floor=bounds.visible_from)


def _extend_downward(reader: HistoryReader, found: _Answer, *, floor: datetime) -> _Answer:
    """Add what is older than the client's stretch.

    With too much of it, or when the books moved between the two reads, all is read afresh: one page
    is one snapshot.
    """
    top = found.end
    older = reader.page(HistoryQuery(0, top.date_down, None, PAGE_EVENTS))
    if older.more or older.version != found.version:
        return _read(reader, None)
    downward = downward_steps(older.events, start=top, floor=floor)
    end = Position(floor, top.date_up, top.after_seq)
    return _Answer(found.version, [*found.steps, *downward], end, more=False)


def _upward_query(start: Position | None) -> HistoryQuery:
    if start is None:
        return HistoryQuery(0, None, None, PAGE_EVENTS)
    return HistoryQuery(start.after_seq, None, start.date_up, PAGE_EVENTS)


def _clamp(start: Position | None, *, bounds: Bounds) -> Position:
    """Keep of the client's stretch what its resident may see now."""
    floor = bounds.visible_from
    if start is None:
        return Position(floor, floor)
    return Position(max(start.date_down, floor), max(start.date_up, floor), start.after_seq)


def _parts(answer: _Answer, *, apartment_id: UUID) -> list[Json]:
    runs = cut(
        answer.steps,
        max_bytes=PART_MAX_BYTES - _ENVELOPE_BYTES,
        content=lambda step: _settled_debt(step.event),
    )
    ends = [(run[-1].covered, True) for run in runs[:-1]] + [(answer.end, answer.more)]
    return [
        {
            "apartment_id": str(apartment_id),
            "version": answer.version,
            "covered": Frame(covered.date_down, covered.date_up).as_json(),
            "cursor": _cursor(covered, apartment_id=apartment_id),
            "more": more,
            "settled_debts": [_settled_debt(step.event) for step in run],
        }
        for run, (covered, more) in zip(runs, ends, strict=True)
    ]


def _cursor(held: Position, *, apartment_id: UUID) -> str:
    return Cursor(apartment_id, held.date_down, held.date_up, held.after_seq).encode()


def _settled_debt(event: Event) -> Json:
    return {name: value for name, value in flat_provider(event).items() if name != "seq"}


def _page_to_json(page: HistoryPage) -> Json:
    last = page.last_posted_at
    return {
        "visible_from": format_instant(page.visible_from),
        "last_posted_at": None if last is None else format_instant(last),
        "events": list(page.events),
        "more": page.more,
        "frame_known": page.frame_known,
    }


def _page_from_json(result: CachedResult) -> HistoryPage:
    body: Mapping[str, Any] = result.body
    last = body["last_posted_at"]
    return HistoryPage(
        version=result.version,
        visible_from=parse_instant(body["visible_from"]),
        last_posted_at=None if last is None else parse_instant(last),
        events=body["events"],
        more=body["more"],
        frame_known=body["frame_known"],
    )
