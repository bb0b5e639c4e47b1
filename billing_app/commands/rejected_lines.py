"""Rejected lines of a file of bills: all into a report, the first few onto the screen."""

from __future__ import annotations

import csv
from typing import IO

from rich.console import Console
from rich.table import Table

from billing_app.domain.bill_lines import spreadsheet_safe, visible
from billing_app.use_cases.bill_rows import Row

_KEPT = 1000
_SHOWN = 20
_OWN_COLUMNS = ("line", "code", "message")


class RejectedLines:
    """Will write each rejected line to the report at once and keep the first thousand."""

    def __init__(self, report: IO[str] | None) -> None:
        self.first: list[Row] = []
        self._report = csv.writer(report, quoting=csv.QUOTE_ALL) if report else None
        self._has_heading = False

    def add(self, row: Row) -> None:
        """Take a rejected line."""
        if len(self.first) < _KEPT:
            self.first.append(row)
        if self._report:
            self._write_heading(row)
            self._write(row.line, *_why(row), *row.cells)

    def print_first(self, console: Console) -> None:
        """Print the first few lines as a table."""
        table = Table(
            "Line", "Code", "Message", title=f"The first {_SHOWN} rejected lines, at most"
        )
        for row in self.first[:_SHOWN]:
            code, message = _why(row)
            table.add_row(str(row.line), visible(code), visible(message))
        console.print(table)

    def _write_heading(self, row: Row) -> None:
        if not self._has_heading:
            self._has_heading = True
            self._write(*_OWN_COLUMNS, *row.columns)

    def _write(self, *cells: object) -> None:
        if self._report:
            self._report.writerow([spreadsheet_safe(str(cell)) for cell in cells])


def _why(row: Row) -> tuple[str, str]:
    codes = " ".join(problem.code for problem in row.problems)
    return codes, " ".join(problem.message for problem in row.problems)
