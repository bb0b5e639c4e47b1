"""What a rehearsal tells whoever watches it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.status import Status
from rich.table import Table


class Show:
    """Writes progress to the terminal, or plain lines where there is none."""

    def __init__(self, console: Console | None = None) -> None:
        width = None if sys.stdout.isatty() else 120
        self._console = console or Console(highlight=False, width=width)
        self._status: Status | None = None
        self._started = time.monotonic()

    @contextmanager
    def step(self, doing: str) -> Iterator[None]:
        """Show what is being done, then that it is done and how long it took."""
        started = time.monotonic()
        if not self._console.is_terminal:
            self._console.print(f"[dim]{self._clock()}[/dim]   {escape(doing)} …")
        try:
            with self._console.status(f"{escape(doing)} …") as self._status:
                yield
        except BaseException:
            self._console.print(f"[dim]{self._clock()}[/dim] [red]✗[/red] {escape(doing)}")
            raise
        finally:
            self._status = None
        took = f"[dim]{time.monotonic() - started:.1f} s[/dim]"
        self._console.print(f"[dim]{self._clock()}[/dim] [green]✓[/green] {escape(doing)} {took}")

    def update(self, text: str) -> None:
        """Replace the text of the step that runs; only a terminal shows it."""
        if self._status is not None:
            self._status.update(escape(text))

    def note(self, line: str) -> None:
        """Show something that was found."""
        self._console.print(f"          {escape(line)}", soft_wrap=True)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show rows under a title."""
        table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        self._console.print(Padding(table, (0, 0, 0, 10)))

    def passed(self, text: str) -> None:
        """Say that all went well."""
        self._console.print(f"\n[bold green]{escape(text)}[/bold green] after {self._clock()}")

    def failed(self, text: str, *, logs: str) -> None:
        """Say what failed and where the logs are."""
        self._console.print(f"\n[bold red]The rehearsal failed[/bold red] after {self._clock()}")
        self._console.print(escape(text), soft_wrap=True)
        self._console.print(f"Logs: {escape(logs)}", soft_wrap=True)

    def _clock(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        return f"{minutes}:{seconds:02d}"
