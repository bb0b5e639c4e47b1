"""Fields of which the arguments of operations are made.

The `metadata` of a field says how `billing-admin` takes it: as an option if it has `help` (`option`
gives its name if that is not the field's), or from stdin. Any other field is a positional argument.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from billing_app.domain.bill_lines import CellError, has_invisible
from billing_app.domain.limits import (
    MAX_NAME_CHARS,
)
from billing_app.ports.operator_ledger import OperatorLedger

OPTIONAL: dict[str, Any] = {"load_default": None, "allow_none": True}


def _without_invisible(text: str) -> None:
    # The rule of bill files, too: what can't be seen makes two names look alike.
    if has_invisible(text):
        raise ValidationError("control and invisible characters are not allowed")


def _reason(text: str) -> None:
    # One of nothing but spaces and line breaks is no reason, and has a code of its own.
    _without_invisible(text.strip())


def _plain(text: str) -> None:
    _without_invisible(text)
    if not text.strip():
        raise ValidationError("empty")


def follows(read: Callable[[str], object]) -> Callable[[str], None]:
    """Make a validator of a rule of the domain."""

    def check(text: str) -> None:
        try:
            read(text)
        except CellError as error:
            raise ValidationError(error.code) from error

    return check


# `help` is what click calls it.
def text_field(maximum: int = MAX_NAME_CHARS, *, help: str = "", **named: Any) -> fields.String:  # noqa: A002
    """Make a field of plain text; `help` is what the command says of it."""
    metadata = {"help": help} if help else {}
    checks: list[Callable[[str], object]] = [validate.Length(max=maximum), _plain]
    return fields.String(validate=checks, metadata=metadata, **named)


class DayOrInstant(fields.AwareDateTime):
    """A day, read as `date`, or an instant with its offset."""

    def _deserialize(self, value: Any, *more: Any, **named: Any) -> Any:
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            return super()._deserialize(value, *more, **named)


def instant_of(given: date | None, *, ledger: OperatorLedger) -> datetime | None:
    """Return an instant that was given as it is, and a day's first one."""
    if given is None or isinstance(given, datetime):
        return given
    return ledger.day_begins(given)


class AuditNoteSchema(Schema):
    """Who takes something back, and why; an empty reason passes here, it has its own code."""

    reason = fields.String(
        required=True, validate=_reason, metadata={"help": "Why, in a sentence. It is kept."}
    )
    operator = text_field(
        required=True, help="Who does this. It is kept. Default: your login name."
    )
