"""What a line of a file of bills must look like, cell by cell.

Each `read_*` function reads one cell's text or raises CellError with a code of the catalogue.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from billing_app.domain.currencies import EXPONENT_OF
from billing_app.domain.errors import CATALOGUE
from billing_app.domain.limits import MAX_REFERENCE_CHARS

COLUMNS = (
    "apartment_id",
    "utility",
    "provider_id",
    "provider_reference",
    "period_from",
    "period_to",
    "due_on",
    "amount",
    "currency",
)
_UTILITY = re.compile(r"[a-z][a-z_]{0,31}")
_PROVIDER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Spreadsheets with an East Asian locale take the full-width signs for the same.
_FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Control, format, surrogate, private, unassigned; line and paragraph separators.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class CellError(ValueError):
    """The cell can't be read; `code` is a code of the catalogue."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class BillLine:
    """One bill as its provider wrote it; the period includes both of its days."""

    line: int
    apartment_id: UUID
    utility: str
    provider_id: str
    provider_reference: str
    period_from: date
    period_to: date
    due_on: date
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line was rejected: a code, and the column unless it is the whole line."""

    code: str
    column: str | None = None

    @property
    def message(self) -> str:
        """Say it in a sentence, the column first."""
        text = CATALOGUE[self.code].line or self.code
        return f"{self.column}: {text}" if self.column else text


def read_text(text: str) -> str:
    """Read free text that is safe in a spreadsheet and on a terminal."""
    _reject(not text, "value_missing")
    _reject(has_invisible(text), "control_character")
    _reject(text != text.strip(), "value_has_spaces")
    _reject(text.startswith(_FORMULA_STARTS), "formula_rejected")
    _reject(len(text) > MAX_REFERENCE_CHARS, "value_too_long")
    return text


def read_apartment_id(text: str) -> UUID:
    """Read an apartment's id."""
    return UUID(_matching(_UUID, text, "apartment_id_invalid"))


def read_utility(text: str) -> str:
    """Read the name of a utility."""
    return _matching(_UTILITY, text, "utility_invalid")


def read_provider_id(text: str) -> str:
    """Read the short name that we gave a provider."""
    return _matching(_PROVIDER_ID, text, "provider_id_invalid")


def read_date(text: str) -> date:
    """Read a calendar day."""
    try:
        return date.fromisoformat(_matching(_DATE, text, "date_invalid"))
    except ValueError as error:
        raise CellError("date_invalid") from error


def read_currency(text: str) -> str:
    """Read a currency's code."""
    _reject(not text, "value_missing")
    _reject(text not in EXPONENT_OF, "currency_unknown")
    return text


def has_invisible(text: str) -> bool:
    """Tell whether a character of the text can't be seen or moves what can."""
    # Plain printable ASCII, nearly every cell, needs no look-up.
    if text.isascii() and text.isprintable():
        return False
    return any(unicodedata.category(character) in _INVISIBLE for character in text)


def visible(text: str) -> str:
    """Write text so that no terminal obeys it: what can't be seen becomes a replacement mark."""
    if not has_invisible(text):
        return text
    return "".join("\ufffd" if has_invisible(one) else one for one in text)


def spreadsheet_safe(cell: str) -> str:
    """Write a cell so that no spreadsheet runs it."""
    shown = visible(cell)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA_STARTS) else shown


def _matching(pattern: re.Pattern[str], text: str, code: str) -> str:
    _reject(not text, "value_missing")
    _reject(pattern.fullmatch(text) is None, code)
    return text


def _reject(broken: bool, code: str) -> None:
    if broken:
        raise CellError(code)
