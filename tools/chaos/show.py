"""What a torture run tells whoever watches it."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.markup import escape


class Show:
    """Writes lines to the terminal, each with the time since the start."""

    def __init__(self, console: Console | None = None) -> None:
        width = None if sys.stdout.isatty() else 120
        self._console = console or Console(highlight=False, width=width)
        self._started = time.monotonic()

    def say(self, line: str, style: str = "") -> None:
        """Show what is done now, or was found."""
        elapsed = time.monotonic() - self._started
        text = f"[{style}]{escape(line)}[/{style}]" if style else escape(line)
        self._console.print(f"[dim]{elapsed:6.1f}[/dim] {text}", soft_wrap=True)

    def text(self, text: str) -> None:
        """Show a table or a story as it is."""
        self._console.print(escape(text), soft_wrap=True)
