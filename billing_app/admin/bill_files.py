"""Files of bills in CSV: read twice, first to check the encoding, then line by line.

A line is a line of the file, whatever its quotes say: no cell of a bill holds a line break, and a
stray quote must spoil one line, not swallow all that follow.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from billing_app.domain.bill_lines import COLUMNS, BillLine, Problem, Row, read_row
from billing_app.domain.errors import Rejection
from billing_app.domain.limits import MAX_LINE_BYTES

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


DELIMITERS = (",", ";", "\t")
# What the report of an import adds in front of the lines that it rejected.
REPORT_COLUMNS = ("line", "code", "message")
# Spreadsheets write their delimiter into a line of its own.
_SEPARATOR_LINE = re.compile("sep=(.)", re.IGNORECASE)


@dataclass(slots=True)
class BillFile:
    """A file that was read to its end once: it is UTF-8 and its lines have a sane length."""

    stream: IO[bytes] = field(repr=False)
    name: str
    sha256: str
    size_bytes: int
    read_bytes: int = 0

    def rows(self, *, delimiter: str | None = None, profile: str = "standard") -> Iterator[Row]:
        """Read the lines after the header; `read_bytes` tells how far.

        All lines are read once before, since of two about one bill neither can be believed.

        Raises:
            Rejection: file_empty, header_invalid, delimiter_invalid, before the first row.
        """
        with closing(_Identities()) as identities:
            for row in self._rows(delimiter, profile):
                identities.count(row)
            for row in self._rows(delimiter, profile):
                yield identities.unless_repeated(row)

    def _rows(self, delimiter: str | None, profile: str) -> Iterator[Row]:
        lines = self._filled_lines()
        _, first = next(lines, (0, ""))
        if separator := _SEPARATOR_LINE.fullmatch(first):
            delimiter = delimiter or separator[1]
            _, first = next(lines, (0, ""))
        if not first:
            raise Rejection("file_empty")
        header = read_header(text=first, delimiter=delimiter)
        for line, text in lines:
            yield header.row(line=line, text=text, profile=profile)

    def _filled_lines(self) -> Iterator[tuple[int, str]]:
        """Number the lines from 1, without their ends and without what spreadsheets leave empty."""
        for number, line in enumerate(self._lines(), start=1):
            text = line.removeprefix("\ufeff") if number == 1 else line
            if text.strip(" \t\r\n,;"):
                yield number, text.rstrip("\r\n")

    def _lines(self) -> Iterator[str]:
        self.stream.seek(0)
        self.read_bytes = 0
        for raw in _raw_lines(self.stream):
            self.read_bytes += len(raw)
            yield raw.decode("utf-8")


@contextmanager
def open_bills(path: Path) -> Iterator[BillFile]:
    """Open a file and check it; nothing of it is kept in memory.

    Raises:
        Rejection: file_unreadable, file_not_utf8, line_too_long.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise Rejection("file_unreadable", detail=error.strerror) from error
    with stream:
        yield checked(stream, name=path.name)


def checked(stream: IO[bytes], *, name: str) -> BillFile:
    """Read a seekable stream to its end, to check and hash it.

    Raises:
        Rejection: file_not_utf8, line_too_long.
    """
    digest, size_bytes = hashlib.sha256(), 0
    for number, raw in enumerate(_raw_lines(stream), start=1):
        _check_line(raw, number)
        digest.update(raw)
        size_bytes += len(raw)
    return BillFile(stream, name, digest.hexdigest(), size_bytes)


def _check_line(raw: bytes, number: int) -> None:
    if number == 1 and raw.startswith(_UTF16_MARKS):
        raise Rejection("file_not_utf8", detail="it is UTF-16")
    if len(raw) > MAX_LINE_BYTES:
        raise Rejection("line_too_long", detail=f"line {number}")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        where = f"line {number}, byte {error.start + 1}"
        raise Rejection("file_not_utf8", detail=where) from error


def _raw_lines(stream: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: stream.readline(MAX_LINE_BYTES + 1), b"")


@dataclass(frozen=True, slots=True)
class Header:
    """The file's columns in their order, and what stands between them.

    In front of them `skipped` columns of a report are not read, and behind them `spare` ones must
    be empty: what a delimiter at the end of each line makes.
    """

    columns: tuple[str, ...]
    delimiter: str
    skipped: int = 0
    spare: int = 0

    def row(self, *, line: int, text: str, profile: str = "standard") -> Row:
        """Read one line of bills."""
        try:
            cells = tuple(_cells(text, self.delimiter))
        except csv.Error:
            return Row(line, self.columns, (text,), problems=(Problem("line_not_csv"),))
        end = self.skipped + len(self.columns)
        # 51,40 without quotes has a cell too many, which must not vanish.
        if len(cells) <= end + self.spare and not any(cells[end:]):
            cells = cells[:end]
        return read_row(
            line=line, columns=self.columns, cells=cells[self.skipped :], profile=profile
        )


def read_header(*, text: str, delimiter: str | None) -> Header:
    """Read the first line; without a delimiter, take the one that gives all columns.

    Raises:
        Rejection: header_invalid, delimiter_invalid.
    """
    if delimiter not in (None, *DELIMITERS):
        raise Rejection("delimiter_invalid")
    candidates = [delimiter] if delimiter else DELIMITERS
    headers = [_header(text, one) for one in candidates]
    fitting = [header for header in headers if sorted(header.columns) == sorted(COLUMNS)]
    if not fitting:
        raise _header_rejection(max(headers, key=lambda header: len(header.columns)).columns)
    return fitting[0]


def _header(text: str, delimiter: str) -> Header:
    """Read the columns, without those of a report and what delimiters at the end make."""
    cells = _header_cells(text, delimiter)
    skipped = len(REPORT_COLUMNS) if cells[: len(REPORT_COLUMNS)] == REPORT_COLUMNS else 0
    named = len("".join(f"{bool(cell):d}" for cell in cells).rstrip("0"))
    return Header(cells[skipped:named], delimiter, skipped, len(cells) - named)


def _cells(text: str, delimiter: str) -> list[str]:
    return next(csv.reader([text], delimiter=delimiter, strict=True), [])


def _header_cells(text: str, delimiter: str) -> tuple[str, ...]:
    try:
        return tuple(cell.strip().lower() for cell in _cells(text, delimiter))
    except csv.Error:
        return ()


def _header_rejection(found: tuple[str, ...]) -> Rejection:
    missing = [column for column in COLUMNS if column not in found]
    unknown = sorted({column for column in found if column not in COLUMNS})
    repeated = sorted({column for column in found if found.count(column) > 1})
    said = [("missing", missing), ("unknown", unknown), ("repeated", repeated)]
    details = "; ".join(f"{word}: {', '.join(names)[:200]}" for word, names in said if names)
    return Rejection("header_invalid", detail=details)


class _Identities:
    """Counts the lines of each bill in a file of any length, in a temporary file of its own.

    SQLite keeps a database without a name on disk beyond a cache of 2 MB, and removes it.
    """

    def __init__(self) -> None:
        # Only imports need it, and every function of the package starts with this module.
        import sqlite3

        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(
            "CREATE TABLE seen (identity TEXT PRIMARY KEY, lines INTEGER) WITHOUT ROWID"
        )
        # One transaction that is never committed: nobody else reads it.
        self._database.execute("BEGIN")

    def count(self, row: Row) -> None:
        """Count the bill of a good line."""
        if row.bill:
            self._database.execute(
                "INSERT INTO seen VALUES (?, 1) ON CONFLICT DO UPDATE SET lines = lines + 1",
                (_key(row.bill),),
            )

    def unless_repeated(self, row: Row) -> Row:
        """Reject a bill that another good line has, too: which of the two is right?"""
        if row.bill is None or self._lines_of(row.bill) == 1:
            return row
        repeated = Problem("reference_duplicated", "provider_reference")
        return replace(row, bill=None, problems=(repeated,))

    def _lines_of(self, bill: BillLine) -> int:
        found = self._database.execute(
            "SELECT lines FROM seen WHERE identity = ?", (_key(bill),)
        ).fetchone()
        return int(found[0])

    def close(self) -> None:
        """Forget everything."""
        self._database.close()


def _key(bill: BillLine) -> str:
    return "\t".join(map(str, bill.identity))
