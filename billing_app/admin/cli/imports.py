"""`billing-admin import`: a file of bills into the ledger."""

from __future__ import annotations

import csv
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from billing_app.admin.bill_files import DELIMITERS, REPORT_COLUMNS, BillFile, checked, open_bills
from billing_app.admin.bill_operations import MAX_REJECTED_LINES, summary_data
from billing_app.admin.cli.context import CliContext, json_option
from billing_app.admin.formatting import plain, spreadsheet_safe, visible
from billing_app.domain.bill_lines import COLUMNS, PROFILES, Problem, Row
from billing_app.domain.errors import Rejection
from billing_app.ports.operator_ledger import BillBatch
from billing_app.use_cases.imports import ImportSummary, import_bills

# Smaller files finish before a progress bar is useful.
_LARGE_FILE_BYTES = 200_000
_RESULTS = ("issued", "revised", "already_present", "rejected")
_SHOWN = 20
_TAB = "tab"
_HELP = f"""Import the bills of a CSV file, or of stdin for "-".

The first line names the columns {", ".join(COLUMNS)}, in any order. Amounts look like 51.40. Wrong
lines are rejected, the others imported. Importing a file again adds nothing twice. A report can be
corrected and imported as it is. A line that looks like another bill is rejected, too.

\b
Examples:
  billing-admin --local import october.csv --dry-run
  billing-admin --local import october.csv --report rejected.csv
"""


class RejectedRows:
    """Writes each rejected row to the report at once, and keeps the first thousand."""

    def __init__(self, report: IO[str] | None) -> None:
        self.first: list[Row] = []
        self._report = csv.writer(report, quoting=csv.QUOTE_ALL) if report else None
        self._has_heading = False

    def add(self, row: Row) -> None:
        """Take a rejected row."""
        if len(self.first) < MAX_REJECTED_LINES:
            self.first.append(row)
        if not self._has_heading:
            self._has_heading = True
            self._write(*REPORT_COLUMNS, *row.columns)
        self._write(row.line, *_why(row), *row.cells)

    def _write(self, *cells: object) -> None:
        if self._report:
            self._report.writerow([spreadsheet_safe(str(cell)) for cell in cells])


@click.command("import", help=_HELP)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--dry-run", is_flag=True, help="Report the same, but change nothing.")
@click.option(
    "--allow-duplicates",
    is_flag=True,
    help="Also issue bills that look like others that are owed or paid.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="Write the rejected lines to this CSV file.",
)
@click.option(
    "--delimiter",
    type=click.Choice([_TAB if one == "\t" else one for one in DELIMITERS]),
    help="Default: detected from the header.",
)
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default=PROFILES[0],
    show_default=True,
    help="How dates and amounts are written: 2026-11-15 and 51.40, or 15.11.2026 and 51,40.",
)
@json_option
@click.pass_obj
def import_command(
    cli: CliContext,
    file: Path,
    dry_run: bool,
    allow_duplicates: bool,
    report: Path | None,
    delimiter: str | None,
    profile: str,
) -> None:
    """Import a file; `_HELP` is what the user reads."""
    with _opened(file) as bills, _report(report, file) as stream:
        rejected = RejectedRows(stream)
        rows = bills.rows(delimiter="\t" if delimiter == _TAB else delimiter, profile=profile)
        source = BillBatch(uuid4(), bills.name, bills.sha256, dry_run, allow_duplicates)
        summary = _import(cli, bills, rows, source, rejected)
    data = plain(summary_data(summary, rejected.first))
    if not cli.as_json:
        _print_tables(summary, rejected.first)
    if summary.rejected:
        counts = f"{summary.rejected} of {summary.results.total()}"
        raise cli.not_done(Rejection("lines_rejected", detail=counts, data=data))
    if cli.as_json:
        cli.say(data, "")


def _import(
    cli: CliContext,
    bills: BillFile,
    rows: Iterator[Row],
    source: BillBatch,
    rejected: RejectedRows,
) -> ImportSummary:
    summary = ImportSummary(source.import_id, source.dry_run)
    with _progress(cli, bills) as bar:
        task = bar.add_task("import", total=bills.size_bytes, lines=0)
        for batch in import_bills(rows=rows, source=source, ledger=cli.backend.bills):
            for imported in batch:
                summary.add(imported)
                if imported.result == "rejected":
                    rejected.add(imported.row)
            bar.update(task, completed=bills.read_bytes, lines=summary.results.total())
    return summary


def _opened(file: Path) -> AbstractContextManager[BillFile]:
    return _spooled(sys.stdin.buffer) if str(file) == "-" else open_bills(file)


@contextmanager
def _spooled(stdin: IO[bytes]) -> Iterator[BillFile]:
    """Copy stdin into a temporary file, since a file of bills is read twice."""
    with tempfile.TemporaryFile() as spool:
        shutil.copyfileobj(stdin, spool)
        spool.seek(0)
        yield checked(spool, name="stdin")


@contextmanager
def _report(report: Path | None, file: Path) -> Iterator[IO[str] | None]:
    if report is None:
        yield None
        return
    if report.exists() and file.exists() and report.samefile(file):
        raise click.UsageError("The report would overwrite the file of bills.")
    try:
        # Without the byte order mark spreadsheets assume their own old encoding.
        stream = report.open("w", encoding="utf-8-sig", newline="")
    except OSError as error:
        raise click.UsageError(f"{report} can't be written: {error.strerror}.") from error
    with stream:
        yield stream


def _progress(cli: CliContext, bills: BillFile) -> Progress:
    console = Console(stderr=True)
    hidden = cli.as_json or not console.is_terminal or bills.size_bytes < _LARGE_FILE_BYTES
    return Progress(
        TextColumn("{task.fields[lines]} lines"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=hidden,
        transient=True,
    )


def _print_tables(summary: ImportSummary, rejected: list[Row]) -> None:
    console = Console(markup=False, highlight=False)
    counts = Table(title="Dry run: nothing was changed" if summary.dry_run else None)
    for result in _RESULTS:
        counts.add_column(result.replace("_", " "), justify="right")
    counts.add_row(*(str(summary.results[result]) for result in _RESULTS))
    console.print(counts)
    if rejected:
        console.print(_problems_table(summary))
        console.print(_rejected_table(rejected[:_SHOWN]))


def _problems_table(summary: ImportSummary) -> Table:
    table = Table("Code", "Lines", "Meaning", title="Why lines were rejected")
    for code, count in summary.problems.most_common():
        table.add_row(visible(code), str(count), Problem(code).message)
    return table


def _rejected_table(rows: list[Row]) -> Table:
    table = Table("Line", "Code", "Message", title=f"Rejected lines, the first {_SHOWN} at most")
    for row in rows:
        code, message = _why(row)
        table.add_row(str(row.line), visible(code), visible(message))
    return table


def _why(row: Row) -> tuple[str, str]:
    codes = " ".join(problem.code for problem in row.problems)
    return codes, " ".join(problem.message for problem in row.problems)
