"""Reading and writing at a terminal, or a pipe."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from billing_client.cli.rows import Rows

# A pipe has no width: nothing is cut or wrapped there.
PIPE_WIDTH = 100_000
# Joiners and emoji tags shape letters; all other format characters can hide or turn text.
JOINERS = frozenset("\u200c\u200d") | {chr(code) for code in range(0xE0020, 0xE0080)}
UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def safe(text: str) -> str:
    """Return text that can't steer a terminal: control characters become a replacement mark."""
    if text.isprintable():
        return text
    return "".join(_safe_character(character) for character in text)


def _safe_character(character: str) -> str:
    if character in "\t\n\r":
        return " "
    unsafe = unicodedata.category(character) in UNSAFE_CATEGORIES
    return "\ufffd" if unsafe and character not in JOINERS else character


def json_text(value: Any) -> str:
    """Return readable JSON in which no character steers a terminal."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


@dataclass
class Terminal:
    """Where answers are written: with ``as_json`` only they go to stdout, the rest to stderr."""

    as_json: bool = False
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    @property
    def talk(self) -> Console:
        """Where people are spoken to."""
        return self.err if self.as_json else self.out

    def say(self, text: str, *, style: str = "") -> None:
        self.talk.print(Text(safe(text), style=style))

    def warn(self, text: str) -> None:
        self.err.print(Text(safe(text), style="yellow"), soft_wrap=True)

    def show(self, rows: Rows) -> None:
        """Show a table: ruled and fitted to a terminal, bare and whole in a pipe."""
        if self.talk.is_terminal:
            self.talk.print(rows.ruled())
        else:
            self.talk.file.writelines(f"{line}\n" for line in rows.plain())

    def answer(self, value: Any) -> None:
        """Write the answer as JSON."""
        sys.stdout.write(json_text(value) + "\n")

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Turn a spinner with the elapsed time, where somebody can see it."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        unseen = not self.err.is_terminal
        with Progress(*columns, console=self.err, transient=True, disable=unseen) as progress:
            progress.add_task(safe(what), total=None)
            yield


def cell(text: str, style: str = "") -> Text:
    """Make a table cell of text from outside; it is never read as markup."""
    return Text(safe(text), style=style)
