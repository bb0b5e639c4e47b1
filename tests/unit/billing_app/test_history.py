"""Which events a client lacks, and which range it holds once it has them."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing_app.domain.errors import Rejection
from billing_app.domain.history import Position, downward_steps, upward_steps
from billing_app.domain.instants import TICK, format_instant, parse_instant
from billing_app.ports.ledger import HistoryPage
from billing_app.use_cases import history
from billing_app.use_cases.history import HistorySync, HistoryUpdate
from tests.support.fake_bills import START
from tests.support.fakes import Resident

NOON = datetime(2026, 2, 4, 12, tzinfo=UTC)


def synced(ada: Resident, start: Position | None = None) -> HistoryUpdate:
    return HistorySync(ada.ledger, ada.subject, ada.home).update(start)


def bills(update: HistoryUpdate) -> list[object]:
    return [step.event.bill.bill_id for step in update.steps]


def test_a_frame_beyond_the_last_posting_is_not_ours() -> None:
    beyond = Position(NOON - timedelta(days=99), NOON + timedelta(days=99))
    with pytest.raises(Rejection, match="history_frame_unknown"):
        synced(Resident(), beyond)


def test_events_lost_by_a_restore_are_noticed_however_much_was_posted_since() -> None:
    ada = Resident()
    kept = ada.pay()
    saved = deepcopy(ada.ledger.apartments)
    ada.ledger.clock.advance(timedelta(minutes=1))
    ada.pay()
    by_cursor = synced(ada).end
    by_frame = Position(by_cursor.date_down, by_cursor.date_up)
    ada.ledger.apartments = saved
    ada.ledger.clock.advance(timedelta(minutes=1))
    later = ada.pay()
    for held in (by_frame, by_cursor):
        with pytest.raises(Rejection, match="history_frame_unknown"):
            synced(ada, held)
    assert bills(synced(ada)) == [kept.bills[0].bill_id, later.bills[0].bill_id]


def test_a_client_that_holds_the_end_alone_is_sent_what_is_older() -> None:
    ada = Resident()
    older, newer = ada.pay(), ada.pay()
    [_, newest] = synced(ada).steps
    update = synced(ada, Position(newest.event.posted_at, newest.event.posted_at + TICK))
    assert bills(update) == [older.bills[0].bill_id] != [newer.bills[0].bill_id]
    assert (update.end.date_down, update.end.date_up) == (START, newest.event.posted_at + TICK)


def test_each_step_covers_its_own_event() -> None:
    """The range is half-open: a client drops what it was sent outside of it."""
    ada = Resident()
    for _ in range(3):
        ada.pay()
    events = ada.ledger.apartments[ada.home].events
    upward = upward_steps(events, start=Position(START, START))
    downward = downward_steps(events, start=Position(NOON, NOON), floor=START)
    assert [step.event.seq for step in [*upward, *downward]] == [1, 2, 3, 3, 2, 1]
    for step in [*upward, *downward]:
        assert step.covered.date_down <= step.event.posted_at < step.covered.date_up
    assert downward_steps([], start=Position(NOON, NOON), floor=START) == []


def test_what_a_resident_may_no_longer_see_is_not_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ada held everything, moved out, moved in again; then more was posted than a page."""
    monkeypatch.setattr(history, "PAGE_EVENTS", 1)
    ada = Resident()
    held = Position(START, START + timedelta(seconds=1))
    moved_in = START + timedelta(days=1)
    ada.ledger.show_from(ada.subject, ada.home, moved_in)
    ada.ledger.clock.advance(timedelta(days=2))
    ada.pay()
    ada.pay()
    update = synced(ada, held)
    assert update.more
    assert update.end.date_down == moved_in


def test_a_history_that_changes_between_two_reads_is_read_afresh(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ada, who held the end alone, moves in anew after the end was read, and sees less."""
    ada = Resident()
    ada.ledger.clock.advance(timedelta(minutes=1))
    ada.pay()
    [step] = synced(ada).steps
    moved_in = step.event.posted_at
    ada.pay()
    reads, read = [], ada.ledger.history

    def history_while_ada_moves(**query: Any) -> HistoryPage | None:
        reads.append(query)
        if len(reads) == 2:
            ada.ledger.show_from(ada.subject, ada.home, moved_in)
            ada.ledger.apartments[ada.home].version += 1
        return read(**query)

    monkeypatch.setattr(ada.ledger, "history", history_while_ada_moves)
    update = synced(ada, Position(moved_in, moved_in + TICK))
    assert update.end.date_down == moved_in
    assert len(reads) == 3


@pytest.mark.parametrize("text", ["2026-02-04T12:00:00.000001Z", "2026-02-04T13:00:00+01:00"])
def test_instants_are_read_in_utc(text: str) -> None:
    assert abs(parse_instant(text) - NOON) <= TICK
    assert format_instant(parse_instant(text)).endswith("Z")
