"""Does a long file of bills cost memory? Run: .venv/bin/python -m tools.benchmarks.import_lines

Imports files of a thousandth, a tenth and all of `LINES` lines through everything but the database:
the reader, the checks, the references on disk and the report. Each runs in a process of its own and
tells its peak of resident memory; what counts are the ratios, since the numbers of a machine mean
nothing elsewhere. A line in ten is rejected, and each line has a verdict.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

from billing_app.adapters.bill_files import ReferencesOnDisk, open_bills
from billing_app.commands.rejected_lines import RejectedLines
from billing_app.domain.bill_lines import COLUMNS
from billing_app.ports.operator_ledger import BillBatch, BillIssuer, LineResult
from billing_app.use_cases.imports import BillFile, ImportSummary, import_bills

LINES = 1_000_000
HOME = UUID(int=1)


class Issued(BillIssuer):
    """Issues everything and keeps nothing."""

    def issue_bills(self, *, batch: BillBatch) -> list[LineResult]:
        """Say that each line was issued."""
        return [LineResult(one.line, "issued", None, None) for one in batch.lines]


def write(path: Path, lines: int) -> None:
    """Write a file in which every tenth line has an amount of nothing."""
    with path.open("w", encoding="utf-8") as stream:
        stream.write(",".join(COLUMNS) + "\n")
        for number in range(lines):
            amount = "0" if number % 10 == 9 else "51.40"
            period = "2026-10-01,2026-10-31,2026-11-15"
            stream.write(f"{HOME},gas,city-gas,G-{number},{period},{amount},EUR\n")


def import_file(path: Path, report: Path) -> ImportSummary:
    """Import a file as the command does, with a report of rejected lines."""
    with (
        open_bills(path) as bills,
        closing(ReferencesOnDisk()) as seen,
        report.open("w", encoding="utf-8") as stream,
    ):
        return import_bills(
            file=BillFile(bills.name, bills.sha256, bills.lines()),
            import_id=uuid4(),
            dry_run=False,
            ledger=Issued(),
            seen=seen,
            on_rejected=RejectedLines(stream).add,
            on_progress=lambda _: None,
        )


def measure(lines: int) -> tuple[float, float]:
    """Return seconds and MiB of a process that imports so many lines."""
    arguments = [sys.executable, "-m", "tools.benchmarks.import_lines", str(lines)]
    # S603: what runs is this module again, with a number that we made.
    told = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout  # noqa: S603
    seconds, mebibytes = told.split()
    return float(seconds), float(mebibytes)


def run(lines: int) -> None:
    """Import so many lines and print seconds and MiB at the peak."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bills.csv")
        write(path, lines)
        started = time.perf_counter()
        summary = import_file(path, Path(folder, "rejected.csv"))
        seconds = time.perf_counter() - started
    if dict(summary.results) != {"issued": lines - lines // 10, "rejected": lines // 10}:
        raise SystemExit(f"lines without a verdict: {summary.results}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"{seconds:.3f} {peak:.1f}\n")


def main() -> None:
    """Print time and memory by size, and the ratio of memory that must stay near one."""
    sizes = [LINES // 1000, LINES // 10, LINES]
    measured = {lines: measure(lines) for lines in sizes}
    for lines, (seconds, mebibytes) in measured.items():
        rate = lines / seconds
        sys.stdout.write(f"{lines:9} lines {rate:9.0f} lines/s {mebibytes:6.1f} MiB at the peak\n")
    ratio = measured[LINES][1] / measured[LINES // 10][1]
    sys.stdout.write(f"ten times the lines take {ratio:.2f} times the memory\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(int(sys.argv[1]))
    else:
        main()
