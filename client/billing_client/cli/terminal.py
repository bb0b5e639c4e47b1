"""Output to a terminal or a pipe: text, tables and JSON that can't control the terminal."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich import box
from rich import table as rich_table
from rich.cells import cell_len
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

# A pipe has no width: nothing is cut or wrapped there.
PIPE_WIDTH = 100_000
# Joiners and emoji tags shape letters; all other format characters can hide or reorder text.
JOINERS = frozenset("\u200c\u200d") | {chr(code) for code in range(0xE0020, 0xE0080)}
UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
# Columns that are useless when they are cut or wrapped.
UNBROKEN = frozenset(
    {"Amount", "Bill", "Due", "Overdue", "Period", "Receipt", "Total", "Utility", "When", "#"}
)
RIGHT_ALIGNED = frozenset({"Amount", "Bills", "Overdue", "Total"})
GAP = "  "


def safe(text: str) -> str:
    """Return text in which control characters are replaced and can't control a terminal."""
    if text.isprintable():
        return text
    return "".join(_safe_character(character) for character in text)


def _safe_character(character: str) -> str:
    if character in "\t\n\r":
        return " "
    unsafe = unicodedata.category(character) in UNSAFE_CATEGORIES
    return "\ufffd" if unsafe and character not in JOINERS else character


def cell(text: str, style: str = "") -> Text:
    """Return a table cell of untrusted text; it is never read as markup."""
    return Text(safe(text), style=style)


def json_text(value: Any) -> str:
    """Return readable JSON in which no character can control a terminal."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


@dataclass
class Table:
    """Headings, and rows with a cell for each."""

    headings: tuple[str, ...]
    rows: list[tuple[Text, ...]] = field(default_factory=list)

    def add(self, *cells: Text | str) -> None:
        """Add a row; pass untrusted text through `cell`."""
        self.rows.append(tuple(Text(c) if isinstance(c, str) else c for c in cells))

    def ruled(self) -> rich_table.Table:
        """Return a table for a terminal, which wraps long names to its width."""
        table = rich_table.Table(
            box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold"
        )
        for heading in self.headings:
            table.add_column(
                heading,
                justify="right" if heading in RIGHT_ALIGNED else "left",
                no_wrap=heading in UNBROKEN,
                overflow="fold",
            )
        for row in self.rows:
            table.add_row(*row)
        return table

    def plain(self) -> Iterator[str]:
        """Yield aligned lines, none of them cut.

        With thousands of rows, rich takes seconds for the layout.
        """
        lines = [self.headings, *(tuple(cell.plain for cell in row) for row in self.rows)]
        widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            columns = zip(self.headings, line, widths, strict=True)
            yield GAP.join(_aligned(*column) for column in columns).rstrip()


def _aligned(heading: str, text: str, width: int) -> str:
    padding = " " * (width - cell_len(text))
    return padding + text if heading in RIGHT_ALIGNED else text + padding


class _Console(Console):
    """A console whose closed pipe is an error like any other."""

    def on_broken_pipe(self) -> None:
        """Raise the error again: rich would end the process as if all had been shown."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return _Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


@dataclass
class Terminal:
    """Writes results to stdout; with `as_json` everything but the JSON goes to stderr."""

    as_json: bool = False
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    @property
    def text_console(self) -> Console:
        """Where text for people goes."""
        return self.err if self.as_json else self.out

    def say(self, text: str, *, style: str = "") -> None:
        """Print text for people."""
        self.text_console.print(Text(safe(text), style=style))

    def warn(self, text: str) -> None:
        """Print a warning to stderr."""
        self.err.print(Text(safe(text), style="yellow"), soft_wrap=True)

    def show(self, table: Table) -> None:
        """Print a table: with rules and wrapped on a terminal, plain and complete in a pipe."""
        if self.text_console.is_terminal:
            self.text_console.print(table.ruled())
        else:
            self.text_console.file.writelines(f"{line}\n" for line in table.plain())

    def answer(self, value: Any) -> None:
        """Print the result as JSON."""
        sys.stdout.write(json_text(value) + "\n")

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show a spinner with the elapsed time, if stderr is a terminal."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        disable = not self.err.is_terminal
        with Progress(*columns, console=self.err, transient=True, disable=disable) as progress:
            progress.add_task(safe(what), total=None)
            yield
