"""What a load tells whoever watches it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

Json = dict[str, Any]


class Show:
    """Writes lines as things happen, and tables at the end."""

    def __init__(self, console: Console | None = None) -> None:
        width = None if sys.stdout.isatty() else 120
        self._console = console or Console(highlight=False, width=width)
        self._started = time.monotonic()

    def progress(self, line: str) -> None:
        """Say what is being done."""
        seconds = time.monotonic() - self._started
        self._console.print(f"[dim]{seconds:6.1f} s[/dim]  {escape(line)}")

    def report(self, report: Json) -> None:
        """Show tables of a report."""
        for run in report["runs"]:
            self._console.print(_operations(run))
            self._facts(run)
        for found in report["comparisons"]:
            spread = f"{found['ratio']} ({found['lowest']} to {found['highest']})"
            text = f"{found['name']}: {found['of']} / {found['to']} = {spread}"
            self._console.print(f"[bold]{escape(text)}[/bold]")

    def written(self, *files: Path) -> None:
        """Say where the report is."""
        self._console.print("Report: " + escape(", ".join(str(file) for file in files)))

    def failed(self, text: str) -> None:
        """Say what went wrong."""
        self._console.print(f"[bold red]{escape(text)}[/bold red]")

    def _facts(self, run: Json) -> None:
        responses = ", ".join(f"{name} x {count}" for name, count in run["responses"].items())
        self._console.print(f"  HTTP: {escape(responses)}")
        if "overload" in run:
            self._console.print(f"  overload: {escape(_overload(run['overload']))}")
        if "ledger" in run:
            self._console.print(f"  ledger: {escape(_ledger(run['ledger']))}")


def _operations(run: Json) -> Table:
    title = f"{run['name']}: {run['throughput']:.2f} operations a second in {run['seconds']:.0f} s"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in ("ms to the answer", "count", "p50", "p90", "p99", "max", "p50 to 202", "errors"):
        table.add_column(column, justify="left" if column == "errors" else "right")
    for name, operation in {**run["operations"], "all": run["all"]}.items():
        table.add_row(*_cells(name, operation))
    return table


def _cells(name: str, operation: Json) -> list[str]:
    answered, accepted = operation["answered_ms"], operation["accepted_ms"]
    numbers = [*(answered[at] for at in ("p50", "p90", "p99", "max")), accepted["p50"]]
    shown = ["-" if number is None else f"{number:.0f}" for number in numbers]
    errors = ", ".join(f"{code} x {count}" for code, count in operation["errors"].items())
    return [name, str(operation["count"]), *shown, escape(errors)]


def _overload(overload: Json) -> str:
    length = overload["ended"] - overload["began"]
    recovery = overload["recovery_seconds"]
    after = "it did not pass" if recovery is None else f"felt for {recovery:.1f} s after its end"
    return f"{length:.1f} s at up to {overload['peak_rate']:.1f} operations a second, {after}"


def _ledger(ledger: Json) -> str:
    parts = [f"{ledger['accepted']} accepted", f"{ledger['answered']} answered"]
    parts += [f"{ledger['dead_letters']} dead letters", f"{len(ledger['lost'])} lost"]
    if ledger["books_known"]:
        parts.append(f"{ledger['receipts']} receipts, {len(ledger['paid_twice'])} bills paid twice")
        parts.append(f"violations: {', '.join(ledger['violations']) or 'none'}")
    return "; ".join(parts)
