"""The rules for a line of a file of bills, cell by cell."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints
from uuid import UUID

from billing_app.domain.currencies import EXPONENT_OF, AmountError, minor_units
from billing_app.domain.errors import CATALOGUE
from billing_app.domain.limits import MAX_REFERENCE_CHARS

_UTILITY = re.compile(r"[a-z][a-z_]{0,31}")
_PROVIDER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTINENTAL_DATE = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
_CONTINENTAL_AMOUNT = re.compile(r"-?([0-9]{1,3}(\.[0-9]{3})+|[0-9]*)(,[0-9]+)?")
# Spreadsheets with an East Asian locale take the full-width signs for the same.
FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Control, format, surrogate, private, unassigned; line and paragraph separators.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class CellError(ValueError):
    """The cell can't be read; `code` is a code of the catalogue."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_amount(text: str, currency: str | None = None) -> int | None:
    """Read an amount with the decimals of its currency; without one, only check its form."""
    _reject(not text, "value_missing")
    try:
        return minor_units(text=text, exponent=EXPONENT_OF[currency] if currency else 0)
    except AmountError as error:
        if currency or error.code == "amount_invalid":
            raise CellError(error.code) from error
        return None


def read_text(text: str) -> str:
    """Read free text that is safe in a spreadsheet and on a terminal, as NFC.

    Systems that decompose letters, such as macOS, would make another number of the same one.
    """
    _reject(not text, "value_missing")
    _reject(has_invisible(text), "control_character")
    _reject(text != text.strip(), "value_has_spaces")
    _reject(text.startswith(FORMULA_STARTS), "formula_rejected")
    composed = unicodedata.normalize("NFC", text)
    _reject(len(composed) > MAX_REFERENCE_CHARS, "value_too_long")
    return composed


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
    written = _matching(_DATE, text, "date_invalid")
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        raise CellError("date_invalid") from error


def read_currency(text: str) -> str:
    """Read a currency's code."""
    _reject(not text, "value_missing")
    _reject(text not in EXPONENT_OF, "currency_unknown")
    return text


@dataclass(frozen=True, slots=True)
class Column:
    """How the cells of a column are read, and a cell that can be."""

    read: Callable[[str], object]
    example: str


class BillIdentity(NamedTuple):
    """What is the same bill: equal for all its revisions, and for no other bill."""

    provider_id: str
    provider_reference: str
    utility: str
    period_from: date
    period_to: date


@dataclass(frozen=True, slots=True)
class BillLine:
    """One bill as its provider wrote it; the period includes both of its days.

    Each field but `line` is a column of the file; `amount_minor` is the column `amount`, which is
    in major units there.
    """

    line: int
    apartment_id: Annotated[UUID, Column(read_apartment_id, "0b6c2f5e-6f0e-4f0e-9f5e-2f4f0f0e6b0c")]
    utility: Annotated[str, Column(read_utility, "gas")]
    provider_id: Annotated[str, Column(read_provider_id, "city-gas")]
    provider_reference: Annotated[str, Column(read_text, "G-2026-10-0017")]
    period_from: Annotated[date, Column(read_date, "2026-10-01")]
    period_to: Annotated[date, Column(read_date, "2026-10-31")]
    due_on: Annotated[date, Column(read_date, "2026-11-15")]
    amount_minor: Annotated[int, Column(read_amount, "51.40")]
    currency: Annotated[str, Column(read_currency, "EUR")]

    @property
    def identity(self) -> BillIdentity:
        """By which the ledger knows the bill; all else may be corrected by a revision."""
        return BillIdentity(*(getattr(self, name) for name in BillIdentity._fields))


COLUMNS: Mapping[str, Column] = {
    name.removesuffix("_minor"): get_args(hint)[1]
    for name, hint in get_type_hints(BillLine, include_extras=True).items()
    if name != "line"
}
_DATES = {name for name, kind in get_type_hints(BillLine).items() if kind is date}
PROFILES = ("standard", "continental")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line was rejected: a code, and the column unless it is the whole line.

    `bill_id` and `provider_reference` name the bill of the ledger that stands in the way, if any.
    """

    code: str
    column: str | None = None
    bill_id: UUID | None = None
    provider_reference: str | None = None

    @property
    def message(self) -> str:
        """Say it in a sentence, the column first."""
        # The functions may be newer than the command, and have codes that it doesn't know.
        known = CATALOGUE.get(self.code)
        text = (known and known.line) or self.code
        named = ", ".join(str(one) for one in (self.bill_id, self.provider_reference) if one)
        text = f"{text} (bill {named})" if named else text
        return f"{self.column}: {text}" if self.column else text


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a file: its cells as they came, and the bill in them or what is wrong.

    `columns` are the file's; a line that was rejected may have another number of cells.
    """

    line: int
    columns: tuple[str, ...]
    cells: tuple[str, ...]
    bill: BillLine | None = None
    problems: tuple[Problem, ...] = ()


def read_row(
    *, line: int, columns: tuple[str, ...], cells: tuple[str, ...], profile: str = "standard"
) -> Row:
    """Read the bill in a line's cells, or find every problem that they have.

    `profile` continental means 15.11.2026 and 1.234,56.
    """
    if len(cells) != len(columns):
        return Row(line, columns, cells, problems=(Problem("wrong_column_count"),))
    texts = dict(zip(columns, cells, strict=True))
    if profile == "continental":
        texts = {column: _from_continental(column, text) for column, text in texts.items()}
    values, problems = _read_cells(texts)
    if problems:
        found = tuple(Problem(problems[one], one) for one in COLUMNS if one in problems)
        return Row(line, columns, cells, problems=found)
    return Row(line, columns, cells, bill=BillLine(line=line, **values))


def _read_cells(cells: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values by field of a BillLine, and the codes of problems by column."""
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for column, rule in COLUMNS.items():
        try:
            values[column] = rule.read(cells[column])
        except CellError as error:
            problems[column] = error.code
    try:
        # Only the currency tells how many decimals there are.
        values["amount_minor"] = read_amount(cells["amount"], values.get("currency"))
    except CellError as error:
        problems["amount"] = error.code
    values.pop("amount", None)
    first, last = values.get("period_from"), values.get("period_to")
    if first and last and last < first:
        problems["period_to"] = "period_reversed"
    return values, problems


def _from_continental(column: str, text: str) -> str:
    """Write a cell in the standard form; what has no continental form stays as it is."""
    if column in _DATES and (found := _CONTINENTAL_DATE.fullmatch(text)):
        return f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}"
    if column == "amount":
        # 51.40 could be anything here; as what it is not it is rejected.
        fits = _CONTINENTAL_AMOUNT.fullmatch(text)
        return text.replace(".", "").replace(",", ".") if fits else f"{text}?"
    return text


def has_invisible(text: str) -> bool:
    """Tell whether a character of the text can't be seen or moves what can."""
    # Plain printable ASCII, nearly every cell, needs no look-up.
    if text.isascii() and text.isprintable():
        return False
    return any(unicodedata.category(character) in _INVISIBLE for character in text)


def _matching(pattern: re.Pattern[str], text: str, code: str) -> str:
    _reject(not text, "value_missing")
    _reject(pattern.fullmatch(text) is None, code)
    return text


def _reject(broken: bool, code: str) -> None:
    if broken:
        raise CellError(code)


_EXAMPLES = {column: rule.example for column, rule in COLUMNS.items()}
EXAMPLE_FILE = f"{','.join(COLUMNS)}\n{','.join(_EXAMPLES.values())}\n"
EXAMPLE_LINE = BillLine(line=2, **_read_cells(_EXAMPLES)[0])
