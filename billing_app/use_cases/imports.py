"""Importing bills from a file: line by line, in batches, as often as anyone likes.

The provider's own reference names a bill, so a second import of a file, a half-done one run again,
and two at the same time add nothing twice.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from uuid import UUID

from billing_app.domain.bill_lines import BillLine, Problem
from billing_app.domain.errors import Rejection
from billing_app.ports.operator_ledger import BillBatch, BillIssuer, LineResult, SeenReferences
from billing_app.use_cases.bill_rows import Header, Row, read_header, read_row

BATCH_LINES = 500


@dataclass(frozen=True, slots=True)
class BillFile:
    """A file of bills: its lines of text, of which the first is the header."""

    name: str
    sha256: str
    lines: Iterable[str]
    delimiter: str | None = None


@dataclass(slots=True)
class ImportSummary:
    """How many lines came to which end; for a dry run, would have come."""

    import_id: UUID
    dry_run: bool
    results: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)

    @property
    def rejected(self) -> int:
        """The number of lines that were rejected."""
        return self.results["rejected"]


@dataclass(frozen=True, slots=True)
class ImportedLine:
    """A line with its end: issued, revised, already_present or rejected."""

    row: Row
    result: str
    bill_id: UUID | None = None


class RememberedReferences(SeenReferences):
    """Will remember references in memory: for files that were in memory anyway."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], int] = {}

    def first_line_of(self, *, provider_id: str, reference: str, line: int) -> int:
        """Tell the line that had this reference first: `line` itself when it is new."""
        return self._lines.setdefault((provider_id, reference), line)


def import_bills(
    *,
    file: BillFile,
    import_id: UUID,
    dry_run: bool,
    ledger: BillIssuer,
    seen: SeenReferences,
    on_rejected: Callable[[Row], None],
    on_progress: Callable[[int], None],
) -> ImportSummary:
    """Issue the bills of a file, batch by batch; each batch is one transaction.

    `on_rejected` gets each rejected line, `on_progress` the number of the last line of each batch.
    Raises Rejection before anything is issued: file_empty, header_invalid,
    delimiter_invalid.
    """
    lines = _numbered(file.lines)
    header = _header(lines, file.delimiter)
    summary = ImportSummary(import_id, dry_run)
    for rows in _batches(_rows(lines, header, seen)):
        batch = BillBatch(import_id, file.name, file.sha256, dry_run, _bills(rows))
        for imported in issue_rows(rows, batch, ledger):
            _count(imported, summary, on_rejected)
        on_progress(rows[-1].line)
    return summary


def issue_rows(rows: list[Row], batch: BillBatch, ledger: BillIssuer) -> Iterator[ImportedLine]:
    """Issue the batch made of the rows' bills and give each row its end."""
    results = {one.line: one for one in ledger.issue_bills(batch=batch)} if batch.lines else {}
    for row in rows:
        yield _ended(row, results[row.line]) if row.bill else ImportedLine(row, "rejected")


def _ended(row: Row, result: LineResult) -> ImportedLine:
    problems = (Problem(result.code),) if result.code else ()
    return ImportedLine(replace(row, problems=problems), result.result, result.bill_id)


def _count(
    imported: ImportedLine, summary: ImportSummary, on_rejected: Callable[[Row], None]
) -> None:
    summary.results[imported.result] += 1
    if imported.result == "rejected":
        summary.problems.update(problem.code for problem in imported.row.problems)
        on_rejected(imported.row)


def _numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Number the lines from 1, without their ends and without what spreadsheets leave empty."""
    for number, line in enumerate(lines, start=1):
        text = line.removeprefix("\ufeff") if number == 1 else line
        if text.strip(" \t\r\n,;"):
            yield number, text.rstrip("\r\n")


def _header(lines: Iterator[tuple[int, str]], delimiter: str | None) -> Header:
    first = next(lines, None)
    if first is None:
        raise Rejection("file_empty")
    return read_header(text=first[1], delimiter=delimiter)


def _rows(lines: Iterator[tuple[int, str]], header: Header, seen: SeenReferences) -> Iterator[Row]:
    for line, text in lines:
        yield _unless_repeated(read_row(text=text, line=line, header=header), seen)


def _unless_repeated(row: Row, seen: SeenReferences) -> Row:
    """Reject a bill whose reference an earlier good line had: which of the two is right?"""
    if row.bill is None:
        return row
    first = seen.first_line_of(
        provider_id=row.bill.provider_id, reference=row.bill.provider_reference, line=row.line
    )
    repeated = (Problem("reference_duplicated", "provider_reference"),)
    return row if first == row.line else replace(row, bill=None, problems=repeated)


def _bills(rows: list[Row]) -> tuple[BillLine, ...]:
    return tuple(row.bill for row in rows if row.bill)


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH_LINES)):
        yield batch
