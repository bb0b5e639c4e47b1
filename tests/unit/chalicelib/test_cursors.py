"""Frames and cursors: what the service handed out is understood, anything else is rejected."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.errors import Rejection
from billing_app.domain.history import Position
from chalicelib.cursors import read_cursor, read_frame, write_cursor, write_frame

NOON = "2026-02-04T12:00:00.000000Z"
INSTANTS = st.floats(0, 7_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
RANGES = st.tuples(INSTANTS, INSTANTS).map(lambda dates: Position(min(dates), max(dates)))


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
def test_invalid_time_frames_are_rejected(date_down: str | None, date_up: str | None) -> None:
    with pytest.raises(Rejection, match="invalid_time_frame"):
        read_frame(date_down=date_down, date_up=date_up)


@given(RANGES)
def test_a_frame_that_was_handed_out_comes_back_as_it_was(position: Position) -> None:
    assert read_frame(**write_frame(position)) == position


@given(apartment=st.uuids(), held=RANGES, seq=st.integers(0, 2**62 - 1))
def test_a_cursor_comes_back_as_it_was(apartment: UUID, held: Position, seq: int) -> None:
    position = replace(held, after_seq=seq)
    text = write_cursor(position, apartment_id=apartment)
    assert read_cursor(text, apartment_id=apartment) == position


@given(text=st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{0,80}", fullmatch=True))
def test_a_made_up_cursor_is_rejected(text: str) -> None:
    with pytest.raises(Rejection, match="invalid_cursor"):
        read_cursor(text, apartment_id=uuid4())


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("field", [-1, 1.5, True, None, [], {}, "", "1", ["x"], 2**62, 2**63 - 1])
def test_a_cursor_with_a_field_that_was_never_handed_out_is_rejected(
    position: int, field: Any
) -> None:
    apartment = uuid4()
    fields: list[Any] = [apartment.hex, NOON, NOON, 0]
    fields[position] = field
    text = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()
    with pytest.raises(Rejection, match="invalid_cursor"):
        read_cursor(text, apartment_id=apartment)


def test_a_cursor_of_another_apartment_is_rejected() -> None:
    noon = datetime.fromisoformat(NOON)
    text = write_cursor(Position(noon, noon, 3), apartment_id=uuid4())
    with pytest.raises(Rejection, match="invalid_cursor"):
        read_cursor(text, apartment_id=uuid4())
