"""Files of bills on disk: read twice, first to know what they are, then line by line."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from billing_app.domain.errors import Rejection
from billing_app.domain.limits import MAX_LINE_BYTES
from billing_app.ports.operator_ledger import SeenReferences

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(slots=True)
class BillFileOnDisk:
    """A file that was read to its end once: it is UTF-8 and its lines have a sane length."""

    stream: IO[bytes] = field(repr=False)
    name: str
    sha256: str
    size_bytes: int
    read_bytes: int = 0

    def lines(self) -> Iterator[str]:
        """Read line by line; `read_bytes` tells how far."""
        self.stream.seek(0)
        self.read_bytes = 0
        for raw in _raw_lines(self.stream):
            self.read_bytes += len(raw)
            yield raw.decode("utf-8")


@contextmanager
def open_bills(path: Path) -> Iterator[BillFileOnDisk]:
    """Open a file and look it through; nothing of it is kept in memory.

    Raises Rejection: file_unreadable, file_not_utf8, line_too_long.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise Rejection("file_unreadable", detail=error.strerror) from error
    with stream:
        yield look_through(stream, name=path.name)


def look_through(stream: IO[bytes], *, name: str) -> BillFileOnDisk:
    """Read a seekable stream once. Raises Rejection: file_not_utf8, line_too_long."""
    digest, size_bytes = hashlib.sha256(), 0
    for number, raw in enumerate(_raw_lines(stream), start=1):
        _check_line(raw, number)
        digest.update(raw)
        size_bytes += len(raw)
    return BillFileOnDisk(stream, name, digest.hexdigest(), size_bytes)


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


class ReferencesOnDisk(SeenReferences):
    """Will remember the references of a file of any length in a temporary file of its own.

    SQLite keeps a database without a name on disk beyond a cache of 2 MB, and removes it.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(
            "CREATE TABLE seen (provider_id TEXT, reference TEXT, line INTEGER,"
            " PRIMARY KEY (provider_id, reference)) WITHOUT ROWID"
        )
        # One transaction that is never committed: nobody else reads it.
        self._database.execute("BEGIN")

    def first_line_of(self, *, provider_id: str, reference: str, line: int) -> int:
        """Tell the line that had this reference first: `line` itself when it is new."""
        found = self._database.execute(
            "INSERT INTO seen VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET line = line RETURNING line",
            (provider_id, reference, line),
        ).fetchone()
        return int(found[0])

    def close(self) -> None:
        """Forget everything."""
        self._database.close()
