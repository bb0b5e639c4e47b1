"""What ``python -m tools.local up`` tells the developer."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

# Where the billing command looks unless it is told otherwise.
_USUAL_API = "http://127.0.0.1:8000"


class Show:
    """Writes progress to the terminal, or plain lines where there is none."""

    def __init__(self, console: Console | None = None) -> None:
        # A file is as wide as we like; only a terminal has a width of its own.
        width = None if sys.stdout.isatty() else 120
        self._console = console or Console(highlight=False, width=width)

    @contextmanager
    def step(self, doing: str, done: str) -> Iterator[None]:
        """Show what is being done, then that it is done and how long it took."""
        started = time.monotonic()
        with self._console.status(f"{doing} …"):
            yield
        seconds = time.monotonic() - started
        self._console.print(f"[green]✓[/green] {done} [dim]{seconds:.1f} s[/dim]")

    def note(self, line: str) -> None:
        """Show something that happened while the service runs."""
        # The line may quote a log, whose brackets are no markup.
        clock = time.strftime("%H:%M:%S")
        self._console.print(f"[yellow]•[/yellow] [dim]{clock}[/dim] {escape(line)}", soft_wrap=True)

    def ready(self, *, api: str, demo: dict[str, Any], logs: str, seconds: float) -> None:
        """Show where the service is, who can log in and what to do next."""
        say = self._console.print
        say(f"\n[bold green]Ready[/bold green] after {seconds:.1f} s: [bold]{api}[/bold]")
        say(f"  contract  {api}/docs\n  health    {api}/health\n  logs      {logs}\n")
        say(_residents_table(demo))
        say("\nNext, in another terminal:\n  . .venv/bin/activate")
        if api != _USUAL_API:
            say(f"  export BILLING_URL={api}")
        say(f"  billing login {demo['residents'][0]['username']}\n  billing debts --apartment 1")
        say("\nCtrl-C ends it all.\n")


def _residents_table(demo: dict[str, Any]) -> Table:
    title = "Demo residents (for this machine only)"
    # No frame: with the long ids it would not fit into 80 columns.
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in ("Username", "Password", "Name", "Apartments"):
        table.add_column(column, no_wrap=True)
    for resident in demo["residents"]:
        apartments = "\n".join(resident["apartments"])
        table.add_row(resident["username"], resident["password"], resident["name"], apartments)
    return table


def fail(message: str) -> None:
    """Say on standard error why it can't go on."""
    Console(stderr=True, highlight=False).print(Text(message, style="bold red"), soft_wrap=True)
