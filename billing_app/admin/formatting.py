"""Values as operators read them: on a terminal, in a spreadsheet, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from billing_app.domain.bill_lines import FORMULA_STARTS, has_invisible
from billing_app.domain.currencies import EXPONENT_OF, major_text
from billing_app.domain.instants import format_instant


def amount(amount_minor: int, currency: str) -> str:
    """Write minor units in major units: 5140 of EUR as "51.40"."""
    return major_text(amount_minor=amount_minor, exponent=EXPONENT_OF.get(currency, 0))


def money(amount_minor: int, currency: str) -> str:
    """Write minor units with their currency: 5140 and EUR as "51.40 EUR"."""
    return f"{amount(amount_minor, currency)} {currency}"


def visible(text: str) -> str:
    """Replace every character that is invisible or that a terminal would obey."""
    if not has_invisible(text):
        return text
    return "".join("\ufffd" if has_invisible(one) else one for one in text)


def spreadsheet_safe(cell: str) -> str:
    """Write a cell so that no spreadsheet runs it."""
    shown = visible(cell)
    return f"'{shown}" if shown.lstrip().startswith(FORMULA_STARTS) else shown


def plain(value: object) -> Any:
    """Return dataclasses, ids and times, also inside of others, as values that JSON has."""
    if is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, datetime):
        return format_instant(value)
    return str(value) if isinstance(value, UUID | date) else value
