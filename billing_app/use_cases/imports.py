"""Importing bills: row by row, in batches, as often as anyone likes.

A bill is known by its provider's reference with utility and period, so a second import of a file, a
half-done one run again, and two at the same time add nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from uuid import UUID

from billing_app.domain.bill_lines import Problem, Row
from billing_app.ports.operator_ledger import BillBatch, BillIssuer, LineResult

BATCH_LINES = 500


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """A row and its result: issued, revised, already_present or rejected."""

    row: Row
    result: str


@dataclass(slots=True)
class ImportSummary:
    """How many rows had which result; for a dry run, would have had."""

    import_id: UUID
    dry_run: bool
    results: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)

    @property
    def rejected(self) -> int:
        """The number of rows that were rejected."""
        return self.results["rejected"]

    def add(self, imported: ImportedRow) -> None:
        """Count a row."""
        self.results[imported.result] += 1
        self.problems.update(problem.code for problem in imported.row.problems)


def import_bills(
    *, rows: Iterator[Row], source: BillBatch, ledger: BillIssuer
) -> Iterator[list[ImportedRow]]:
    """Issue the bills of rows, a batch of them after the other; each is one transaction.

    Args:
        rows: Rows of a file, in their order.
        source: The file that they are from, as a batch without lines.
        ledger: Where the bills are issued.

    Returns:
        The rows of each batch with their results.
    """
    while some := list(islice(rows, BATCH_LINES)):
        bills = tuple(row.bill for row in some if row.bill)
        issued = ledger.issue_bills(batch=replace(source, lines=bills)) if bills else []
        yield _imported(some, issued)


def _imported(rows: Iterable[Row], issued: Iterable[LineResult]) -> list[ImportedRow]:
    results = {one.line: one for one in issued}
    return [
        _with_result(row, results[row.line]) if row.bill else ImportedRow(row, "rejected")
        for row in rows
    ]


def _with_result(row: Row, result: LineResult) -> ImportedRow:
    if not result.code:
        return ImportedRow(row, result.result)
    problem = Problem(
        result.code, bill_id=result.bill_id, provider_reference=result.provider_reference
    )
    return ImportedRow(replace(row, problems=(problem,)), result.result)
