"""Where a client's copy of the history stands, as it is written: two dates, or a cursor."""

from __future__ import annotations

import base64
import binascii
import json
from uuid import UUID

from billing_app.domain.errors import Rejection
from billing_app.domain.history import Position
from billing_app.domain.instants import format_instant, parse_instant

# The ledger counts on from it, in a bigint.
_MAX_SEQ = 2**62


def read_frame(*, date_down: str | None, date_up: str | None) -> Position | None:
    """Read the dates that a client sent; `None` when it holds nothing.

    Raises:
        Rejection: `invalid_time_frame`.
    """
    if date_down is None and date_up is None:
        return None
    if date_down is None or date_up is None:
        raise Rejection("invalid_time_frame")
    try:
        position = Position(parse_instant(date_down), parse_instant(date_up))
    except ValueError as error:
        raise Rejection("invalid_time_frame") from error
    if position.date_down > position.date_up:
        raise Rejection("invalid_time_frame")
    return position


def write_frame(position: Position) -> dict[str, str]:
    """Write a position as the contract's `covered`."""
    return {
        "date_down": format_instant(position.date_down),
        "date_up": format_instant(position.date_up),
    }


def read_cursor(text: str, *, apartment_id: UUID) -> Position:
    """Read a cursor that was handed out for this apartment.

    Raises:
        Rejection: `invalid_cursor`.
    """
    try:
        apartment, position = _parse(text)
    except (ValueError, TypeError, binascii.Error) as error:
        raise Rejection("invalid_cursor") from error
    if apartment != apartment_id:
        raise Rejection("invalid_cursor")
    return position


def write_cursor(position: Position, *, apartment_id: UUID) -> str:
    """Write a position as URL-safe text, opaque to clients."""
    fields = [apartment_id.hex, *write_frame(position).values(), position.after_seq]
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")


def _parse(text: str) -> tuple[UUID, Position]:
    padded = text + "=" * (-len(text) % 4)
    *texts, after_seq = json.loads(base64.urlsafe_b64decode(padded))
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("not a cursor")
    apartment, date_down, date_up = texts
    if type(after_seq) is not int or not 0 <= after_seq < _MAX_SEQ:
        raise ValueError("not a position")
    position = Position(parse_instant(date_down), parse_instant(date_up), after_seq)
    return UUID(hex=apartment), position
