"""The one way in which every tool reports to the terminal: progress, findings, tables, result."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console as Terminal
from rich.markup import escape
from rich.status import Status
from rich.table import Table


class Console:
    """Writes to the terminal, or plain lines where there is none, with the time since the start.

    No text is taken as markup: a line may quote a log, whose brackets and colons mean nothing.
    """

    def __init__(self, terminal: Terminal | None = None) -> None:
        # A file is as wide as we like; only a terminal has a width of its own.
        width = None if sys.stdout.isatty() else 120
        self._terminal = terminal or Terminal(highlight=False, emoji=False, width=width)
        self._started = time.monotonic()
        self._status: Status | None = None

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    @contextmanager
    def step(self, doing: str) -> Iterator[None]:
        """Show what is being done, then whether it worked and how long it took."""
        started = self.seconds
        if not self._terminal.is_terminal:
            self.say(f"  {doing} …")
        try:
            with self._terminal.status(f"{escape(doing)} …") as self._status:
                yield
        except BaseException:
            self._line("[red]✗[/red] " + escape(doing))
            raise
        finally:
            self._status = None
        took = f"[dim]{self.seconds - started:.1f} s[/dim]"
        self._line(f"[green]✓[/green] {escape(doing)} {took}")

    def update(self, text: str) -> None:
        """Replace the text of the step that runs; only a terminal shows it."""
        if self._status is not None:
            self._status.update(escape(text))

    def say(self, line: str, style: str = "") -> None:
        """Show what is done now, or was found."""
        self._line(f"[{style}]{escape(line)}[/{style}]" if style else escape(line))

    def text(self, text: str, style: str = "") -> None:
        """Show a text as it is, without the time."""
        self._terminal.print(escape(text), style=style or None, soft_wrap=True)

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        *,
        numbers: Sequence[str] = (),
    ) -> None:
        """Show rows under a title. The columns named in `numbers` are aligned to the right."""
        # No frame: with long ids it would not fit into 80 columns.
        table = Table(title=title or None, title_justify="left", box=None, padding=(0, 2, 0, 0))
        for column in columns:
            table.add_column(
                column, justify="right" if column in numbers else "left", overflow="fold"
            )
        for row in rows:
            table.add_row(*(escape(str(cell)) for cell in row))
        self._terminal.print(table)

    def passed(self, text: str) -> None:
        """Say that all went well."""
        self.text(f"\n{text} after {self.seconds:.1f} s", "bold green")

    def _line(self, markup: str) -> None:
        self._terminal.print(f"[dim]{self.seconds:6.1f}[/dim] {markup}", soft_wrap=True)


def fail(text: str) -> None:
    """Say on standard error why it can't go on."""
    Terminal(stderr=True, highlight=False, emoji=False).print(
        escape(text), style="bold red", soft_wrap=True
    )
