"""Reading a file of bills: its header once, then each line on its own.

A line is a line of the file, whatever its quotes say: no cell of a bill holds a line break, and a
stray quote must spoil one line, not swallow all that follow.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from billing_app.domain.bill_lines import (
    COLUMNS,
    BillLine,
    CellError,
    Problem,
    read_apartment_id,
    read_currency,
    read_date,
    read_provider_id,
    read_text,
    read_utility,
)
from billing_app.domain.currencies import EXPONENT_OF, AmountError, minor_units
from billing_app.domain.errors import Rejection

DELIMITERS = (",", ";")


def _cell(read: Callable[[str], object]) -> fields.Function:
    """Make a field of a rule of the domain."""

    def deserialize(text: str) -> object:
        try:
            return read(text)
        except CellError as error:
            raise ValidationError(error.code) from error

    return fields.Function(deserialize=deserialize, required=True)


class BillLineSchema(Schema):
    """The cells of a line by column, read as a BillLine; messages are codes of MESSAGES."""

    line = fields.Integer(required=True, strict=True)
    apartment_id = _cell(read_apartment_id)
    utility = _cell(read_utility)
    provider_id = _cell(read_provider_id)
    provider_reference = _cell(read_text)
    period_from = _cell(read_date)
    period_to = _cell(read_date)
    due_on = _cell(read_date)
    amount = fields.Raw(required=True)
    currency = _cell(read_currency)

    # These two look at whatever could be read, so that a line's problems come all at once.
    @validates_schema(skip_on_field_errors=False)
    def amount_fits_currency(self, data: dict[str, Any], **_: Any) -> None:
        """Read the amount with the decimals of the currency; without one, look at its form only."""
        exponent = EXPONENT_OF.get(data.get("currency", ""))
        try:
            data["amount_minor"] = minor_units(text=data["amount"], exponent=exponent or 0)
        except AmountError as error:
            code = error.code if data["amount"] else "value_missing"
            if exponent is not None or code in ("amount_invalid", "value_missing"):
                raise ValidationError(code, "amount") from error

    @validates_schema(skip_on_field_errors=False)
    def period_runs_forward(self, data: dict[str, Any], **_: Any) -> None:
        """Compare the ends of the period, if both could be read."""
        first, last = data.get("period_from"), data.get("period_to")
        if first and last and last < first:
            raise ValidationError("period_reversed", "period_to")

    @post_load
    def to_bill_line(self, data: dict[str, Any], **_: Any) -> BillLine:
        """Put the cells together."""
        del data["amount"]
        return BillLine(**data)


_SCHEMA = BillLineSchema()


@dataclass(frozen=True, slots=True)
class Header:
    """The file's columns in their order, and what stands between them."""

    columns: tuple[str, ...]
    delimiter: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the file: its cells as they came, and the bill in them or what is wrong.

    `columns` are the file's; a line that was rejected may have another number of cells.
    """

    line: int
    columns: tuple[str, ...]
    cells: tuple[str, ...]
    bill: BillLine | None = None
    problems: tuple[Problem, ...] = ()


def read_header(*, text: str, delimiter: str | None) -> Header:
    """Read the first line; the delimiter is the one that gives all columns.

    Raises Rejection: header_invalid, delimiter_invalid.
    """
    if delimiter not in (None, *DELIMITERS):
        raise Rejection("delimiter_invalid")
    candidates = [delimiter] if delimiter else DELIMITERS
    headers = [Header(_header_cells(text, one), one) for one in candidates]
    fitting = [header for header in headers if sorted(header.columns) == sorted(COLUMNS)]
    if not fitting:
        raise _header_rejection(max(headers, key=lambda header: len(header.columns)).columns)
    return fitting[0]


def read_row(*, text: str, line: int, header: Header) -> Row:
    """Read one line of bills, or tell every problem that it has."""
    try:
        cells = tuple(split_cells(text, header.delimiter))
    except csv.Error:
        return Row(line, header.columns, (text,), problems=(Problem("line_not_csv"),))
    if len(cells) != len(header.columns):
        return Row(line, header.columns, cells, problems=(Problem("wrong_column_count"),))
    return _read_cells(cells, line, header)


def split_cells(text: str, delimiter: str) -> list[str]:
    """Divide one line into its cells. Raises csv.Error."""
    return next(csv.reader([text], delimiter=delimiter, strict=True), [])


def _read_cells(cells: tuple[str, ...], line: int, header: Header) -> Row:
    try:
        by_column = dict(zip(header.columns, cells, strict=True))
        return Row(line, header.columns, cells, bill=_SCHEMA.load({**by_column, "line": line}))
    except ValidationError as error:
        return Row(line, header.columns, cells, problems=_problems(error.messages_dict))


def _problems(messages: Mapping[str, Sequence[str]]) -> tuple[Problem, ...]:
    return tuple(Problem(code, column) for column in COLUMNS for code in messages.get(column, ()))


def _header_cells(text: str, delimiter: str) -> tuple[str, ...]:
    try:
        return tuple(cell.strip().lower() for cell in split_cells(text, delimiter))
    except csv.Error:
        return ()


def _header_rejection(found: tuple[str, ...]) -> Rejection:
    missing = [column for column in COLUMNS if column not in found]
    unknown = sorted({column for column in found if column not in COLUMNS})
    repeated = sorted({column for column in found if found.count(column) > 1})
    said = [("missing", missing), ("unknown", unknown), ("repeated", repeated)]
    details = "; ".join(f"{word}: {', '.join(names)[:200]}" for word, names in said if names)
    return Rejection("header_invalid", detail=details)
