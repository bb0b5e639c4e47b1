"""`billing-admin import`: a file of bills into the books."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import IO
from uuid import uuid4

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from billing_app.adapters.bill_files import (
    BillFileOnDisk,
    ReferencesOnDisk,
    look_through,
    open_bills,
)
from billing_app.commands.rejected_lines import RejectedLines
from billing_app.commands.session import Session, json_option
from billing_app.domain.bill_lines import visible
from billing_app.domain.errors import CATALOGUE, Rejection
from billing_app.use_cases.imports import BillFile, ImportSummary, import_bills
from billing_app.use_cases.operator_events import row_data, summary_data

# Less is imported before a bar could be read.
_LARGE_FILE_BYTES = 200_000
_ENDS = ("issued", "revised", "already_present", "rejected")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--dry-run", is_flag=True, help="Change nothing, report the same.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="Write the rejected lines into this CSV file.",
)
@click.option("--delimiter", type=click.Choice([",", ";"]), help="Found out, if not given.")
@json_option
@click.pass_obj
def import_command(
    session: Session, file: Path, dry_run: bool, report: Path | None, delimiter: str | None
) -> None:
    """Import the bills of a CSV file, or of stdin for "-".

    The first line names the columns apartment_id, utility, provider_id, provider_reference,
    period_from, period_to, due_on, amount (as 51.40) and currency, in any order. Lines that are
    wrong are rejected, the others imported. Importing a file again adds nothing twice.

    \b
    Examples:
      billing-admin import october.csv --dry-run
      billing-admin import october.csv --report rejected.csv
    """
    with _opened(file) as bills, _rejected_lines(report, file) as rejected_lines:
        summary = _import(session, bills, dry_run, delimiter, rejected_lines)
    _tell(session, summary, rejected_lines)


def _import(
    session: Session,
    bills: BillFileOnDisk,
    dry_run: bool,
    delimiter: str | None,
    rejected_lines: RejectedLines,
) -> ImportSummary:
    file = BillFile(bills.name, bills.sha256, bills.lines(), delimiter)
    with closing(ReferencesOnDisk()) as seen, _progress(session, bills) as on_progress:
        return import_bills(
            file=file,
            import_id=uuid4(),
            dry_run=dry_run,
            ledger=session.reach.bills,
            seen=seen,
            on_rejected=rejected_lines.add,
            on_progress=on_progress,
        )


def _opened(file: Path) -> AbstractContextManager[BillFileOnDisk]:
    return _spooled(sys.stdin.buffer) if str(file) == "-" else open_bills(file)


@contextmanager
def _spooled(stdin: IO[bytes]) -> Iterator[BillFileOnDisk]:
    """Copy stdin into a temporary file, since a file of bills is read twice."""
    with tempfile.TemporaryFile() as spool:
        shutil.copyfileobj(stdin, spool)
        spool.seek(0)
        yield look_through(spool, name="stdin")


@contextmanager
def _rejected_lines(report: Path | None, file: Path) -> Iterator[RejectedLines]:
    if report is None:
        yield RejectedLines(None)
        return
    if report.exists() and file.exists() and report.samefile(file):
        raise click.UsageError("The report would overwrite the file of bills.")
    # Spreadsheets take a file without the mark for one in their own old encoding.
    with _created(report) as stream:
        yield RejectedLines(stream)


def _created(report: Path) -> IO[str]:
    try:
        return report.open("w", encoding="utf-8-sig", newline="")
    except OSError as error:
        raise click.UsageError(f"{report} can't be written: {error.strerror}.") from error


@contextmanager
def _progress(session: Session, bills: BillFileOnDisk) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    hidden = session.as_json or not console.is_terminal or bills.size_bytes < _LARGE_FILE_BYTES
    bar = Progress(
        TextColumn("{task.fields[line]} lines"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=hidden,
        transient=True,
    )
    with nullcontext() if hidden else bar:
        task = bar.add_task("import", total=bills.size_bytes, line=0)
        yield lambda line: bar.update(task, completed=bills.read_bytes, line=line)


def _tell(session: Session, summary: ImportSummary, rejected_lines: RejectedLines) -> None:
    data = summary_data(summary)
    data["rejected_lines"] = [row_data(row) for row in rejected_lines.first]
    data["rejected_lines_left_out"] = summary.rejected - len(rejected_lines.first)
    if not session.as_json:
        _print_tables(summary, rejected_lines)
    if summary.rejected:
        counts = f"{summary.rejected} of {summary.results.total()}"
        session.decline(Rejection("lines_rejected", detail=counts, data=data))
    if session.as_json:
        session.say(data, "")


def _print_tables(summary: ImportSummary, rejected_lines: RejectedLines) -> None:
    console = Console(markup=False, highlight=False)
    counts = Table(title="Dry run: nothing was changed" if summary.dry_run else None)
    for end in _ENDS:
        counts.add_column(end.replace("_", " "), justify="right")
    counts.add_row(*(str(summary.results[end]) for end in _ENDS))
    console.print(counts)
    if summary.rejected:
        console.print(_problems_table(summary))
        rejected_lines.print_first(console)


def _problems_table(summary: ImportSummary) -> Table:
    table = Table("Code", "Lines", "What it means", title="Why lines were rejected")
    for code, count in summary.problems.most_common():
        table.add_row(visible(code), str(count), CATALOGUE[code].line)
    return table
