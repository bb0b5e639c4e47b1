"""Frames and cursors: what the service handed out is understood, anything else is rejected."""

from __future__ import annotations

import base64
import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.errors import Rejection
from billing_app.domain.history import (
    Cursor,
    Frame,
    Position,
    downward_steps,
    frame_from,
    upward_steps,
)
from billing_app.domain.instants import format_instant, parse_instant
from billing_app.ports.ledger import PaymentOrder
from billing_app.use_cases import history
from billing_app.use_cases.history import sync_history
from tests.support.examples import a_debt
from tests.support.fakes import START, FakeCache, FakeLedger

NOON = datetime(2026, 2, 4, 12, tzinfo=UTC)
INSTANTS = st.floats(0, 7_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@pytest.mark.parametrize(
    ("date_down", "date_up"),
    [
        (None, "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", None),
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01", "2026-01-02"),
        ("2026-01-01T00:00:00", "2026-01-02T00:00:00"),
        ("2026-13-01T00:00:00Z", "2026-01-02T00:00:00Z"),
        ("0001-01-01T00:00:00+23:59", "2026-01-02T00:00:00Z"),
        ("infinity", "infinity"),
        ("' OR 1=1", "x"),
    ],
)
def test_a_frame_that_is_none_is_rejected(date_down: str | None, date_up: str | None) -> None:
    with pytest.raises(Rejection) as rejection:
        frame_from(date_down=date_down, date_up=date_up)
    assert rejection.value.code == "invalid_time_frame"


@given(st.tuples(INSTANTS, INSTANTS).map(sorted))
def test_a_frame_that_was_handed_out_comes_back_as_it_was(edges: list[datetime]) -> None:
    frame = Frame(*edges)
    assert frame_from(**frame.as_json()) == frame


@given(apartment=st.uuids(), down=INSTANTS, up=INSTANTS, seq=st.integers(0, 2**63 - 1))
def test_a_cursor_comes_back_as_it_was(
    apartment: UUID, down: datetime, up: datetime, seq: int
) -> None:
    cursor = Cursor(apartment, down, up, seq)
    assert Cursor.decode(cursor.encode(), apartment_id=apartment) == cursor


@given(text=st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{0,80}", fullmatch=True))
def test_a_made_up_cursor_is_rejected(text: str) -> None:
    with pytest.raises(Rejection) as rejection:
        Cursor.decode(text, apartment_id=uuid4())
    assert rejection.value.code == "invalid_cursor"


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("field", [-5, 1.5, True, None, [], {}, "", ["x"]])
def test_a_cursor_with_a_field_of_another_kind_is_rejected(position: int, field: Any) -> None:
    apartment = uuid4()
    fields: list[Any] = [apartment.hex, *[format_instant(NOON)] * 2, 0]
    fields[position] = field
    text = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()
    with pytest.raises(Rejection) as rejection:
        Cursor.decode(text, apartment_id=apartment)
    assert rejection.value.code == "invalid_cursor"


def test_a_cursor_of_another_apartment_is_rejected() -> None:
    text = Cursor(uuid4(), NOON, NOON, 3).encode()
    with pytest.raises(Rejection) as rejection:
        Cursor.decode(text, apartment_id=uuid4())
    assert rejection.value.code == "invalid_cursor"


def test_a_frame_beyond_the_last_posting_is_not_ours() -> None:
    ledger = FakeLedger()
    home = ledger.add_apartment()
    ada = ledger.add_resident("Ada", home)
    beyond = Frame(NOON - timedelta(days=99), NOON + timedelta(days=99))
    with pytest.raises(Rejection) as rejection:
        sync_history(
            ledger=ledger,
            cache=FakeCache(),
            subject=ada,
            apartment_id=home,
            frame=beyond,
            cursor=None,
        )
    assert rejection.value.code == "history_frame_unknown"


def test_events_lost_by_a_restore_are_noticed_however_much_was_posted_since() -> None:
    ledger = FakeLedger()
    home = ledger.add_apartment()
    ada = ledger.add_resident("Ada", home)
    kept, lost, later = (ledger.issue(home, a_debt()) for _ in range(3))

    def sync(frame: Frame | None, cursor: str | None = None) -> dict[str, Any]:
        [part] = sync_history(
            ledger=ledger, cache=FakeCache(), subject=ada, apartment_id=home, frame=frame,
            cursor=cursor,
        )  # fmt: skip
        return part

    ledger.pay(PaymentOrder(ada, "1", home, (kept,), None))
    saved = deepcopy(ledger.apartments)
    ledger.clock.advance(timedelta(minutes=1))
    ledger.pay(PaymentOrder(ada, "2", home, (lost,), None))
    held = sync(None)
    ledger.apartments = saved
    ledger.clock.advance(timedelta(minutes=1))
    ledger.pay(PaymentOrder(ada, "3", home, (later,), None))
    with pytest.raises(Rejection, match="history_frame_unknown"):
        sync(frame_from(**held["covered"]))
    with pytest.raises(Rejection, match="history_frame_unknown"):
        sync(None, held["cursor"])
    assert [debt["bill_id"] for debt in sync(None)["settled_debts"]] == [str(kept), str(later)]


def test_a_client_that_holds_everything_is_sent_nothing() -> None:
    """Whether it says so by its frame or by its cursor."""
    ledger = FakeLedger()
    home = ledger.add_apartment()
    ada = ledger.add_resident("Ada", home)
    bill = ledger.issue(home, a_debt())
    ledger.pay(PaymentOrder(ada, "key", home, (bill,), None))

    def synced(frame: Frame | None, cursor: str | None) -> dict[str, object]:
        [part] = sync_history(
            ledger=ledger,
            cache=FakeCache(),
            subject=ada,
            apartment_id=home,
            frame=frame,
            cursor=cursor,
        )
        return part

    first = synced(None, None)
    assert len(first["settled_debts"]) == 1  # type: ignore[arg-type]
    covered = frame_from(**first["covered"])  # type: ignore[arg-type]
    assert synced(covered, None)["settled_debts"] == []
    assert synced(None, str(first["cursor"]))["settled_debts"] == []


def test_a_client_that_holds_the_end_alone_is_sent_what_is_older() -> None:
    ledger = FakeLedger()
    home = ledger.add_apartment()
    ada = ledger.add_resident("Ada", home)
    for key in ("first", "second"):
        bill = ledger.issue(home, a_debt())
        ledger.pay(PaymentOrder(ada, key, home, (bill,), None))
    older, newer = (event["posted_at"] for event in ledger.apartments[home].events)
    frame = Frame(parse_instant(newer), parse_instant(newer) + timedelta(microseconds=1))
    [part] = sync_history(
        ledger=ledger, cache=FakeCache(), subject=ada, apartment_id=home, frame=frame, cursor=None
    )
    assert [event["posted_at"] for event in part["settled_debts"]] == [older]
    assert part["covered"] == Frame(START, frame.date_up).as_json()


def test_what_a_resident_may_no_longer_see_is_not_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ada held everything, moved out, moved in again; then more was posted than a page."""
    monkeypatch.setattr(history, "PAGE_EVENTS", 1)
    ledger = FakeLedger()
    home = ledger.add_apartment()
    ada = ledger.add_resident("Ada", home)
    held = Frame(START, START + timedelta(seconds=1))
    ledger.residencies[ada, home] = moved_in = START + timedelta(days=1)
    ledger.clock.advance(timedelta(days=2))
    for key in ("first", "second"):
        ledger.pay(PaymentOrder(ada, key, home, (ledger.issue(home, a_debt()),), None))
    [part] = sync_history(
        ledger=ledger, cache=FakeCache(), subject=ada, apartment_id=home, frame=held, cursor=None
    )
    assert part["more"]
    assert part["covered"]["date_down"] == format_instant(moved_in)


def test_a_page_that_is_not_the_last_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "PAGE_EVENTS", 1)
    ledger = FakeLedger()
    home = ledger.add_apartment()
    ada = ledger.add_resident("Ada", home)
    for key in ("first", "second"):
        bill = ledger.issue(home, a_debt())
        ledger.pay(PaymentOrder(ada, key, home, (bill,), None))
    cursor, more = None, []
    for _ in range(2):
        [part] = sync_history(
            ledger=ledger, cache=FakeCache(), subject=ada, apartment_id=home, frame=None,
            cursor=cursor,
        )  # fmt: skip
        more.append(part["more"])
        cursor = part["cursor"]
    assert more == [True, False]


def test_each_step_covers_its_own_event() -> None:
    """The frame is half-open: a client drops what it was sent outside of it."""
    instants = [NOON + timedelta(microseconds=1) * n for n in range(3)]
    events = [{"seq": n, "posted_at": format_instant(at)} for n, at in enumerate(instants, 1)]
    later = NOON + timedelta(days=1)
    upward = upward_steps(events, start=Position(NOON, NOON))
    downward = downward_steps(events, start=Position(later, later), floor=NOON)
    assert [step.event["seq"] for step in [*upward, *downward]] == [1, 2, 3, 3, 2, 1]
    for step in [*upward, *downward]:
        posted_at = parse_instant(step.event["posted_at"])
        assert step.covered.date_down <= posted_at < step.covered.date_up


def test_an_old_result_in_the_cache_is_never_shown() -> None:
    ledger, cache = FakeLedger(), FakeCache()
    home = ledger.add_apartment()
    ada = ledger.add_resident("Ada", home)
    for count in (1, 2, 3):
        bill = ledger.issue(home, a_debt())
        ledger.pay(PaymentOrder(ada, str(count), home, (bill,), None))
        cache.lost = count == 2
        [part] = sync_history(
            ledger=ledger, cache=cache, subject=ada, apartment_id=home, frame=None, cursor=None
        )
        assert len(part["settled_debts"]) == count


def test_a_cached_page_is_shown_to_nobody_who_sees_less() -> None:
    ledger, cache = FakeLedger(), FakeCache()
    home = ledger.add_apartment()
    ada = ledger.add_resident("Ada", home)
    bob = ledger.add_resident("Bob", home, since=ledger.clock.now + timedelta(days=1))
    bill = ledger.issue(home, a_debt())
    ledger.pay(PaymentOrder(ada, "key", home, (bill,), None))

    def synced(subject: UUID) -> int:
        [part] = sync_history(
            ledger=ledger, cache=cache, subject=subject, apartment_id=home, frame=None, cursor=None
        )
        return len(part["settled_debts"])

    assert (synced(ada), synced(bob), synced(ada)) == (1, 0, 1)


@pytest.mark.parametrize("text", ["2026-02-04T12:00:00.000001Z", "2026-02-04T13:00:00+01:00"])
def test_instants_are_read_in_utc(text: str) -> None:
    assert abs(parse_instant(text) - NOON) <= timedelta(microseconds=1)
    assert format_instant(parse_instant(text)).endswith("Z")
