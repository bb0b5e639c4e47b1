"""Reads documents: headings, links, code blocks and the commands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
# The pages of operators: only these have commands against AWS and Terraform.
OPERATORS = tuple(ROOT / "docs" / f"{name}.md" for name in ("deploy", "runbook", "cost"))
_FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A code block: its language, and its text without the indentation of a list."""

    language: str
    text: str


def text_of(document: Path) -> str:
    """Return the text of a document."""
    return document.read_text(encoding="utf-8")


def prose_of(document: Path) -> str:
    """Return the text outside of code blocks."""
    return _FENCE.sub("", text_of(document))


def blocks_of(document: Path, *languages: str) -> Iterator[Block]:
    """Read the code blocks of some languages."""
    for indent, language, text in _FENCE.findall(text_of(document)):
        if language in languages:
            yield Block(language, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE))


def commands_of(document: Path) -> Iterator[str]:
    """Read the commands of a document, each in one line: of a console those after `$`."""
    for block in blocks_of(document, "console", "bash"):
        text = re.sub(r"\\\n\s*", " ", block.text)
        if block.language == "bash":
            yield from text.splitlines()
        else:
            # An indented line goes on with the command above it.
            yield from (line[2:] for line in text.splitlines() if line.startswith("$ "))
            yield from (line.strip() for line in text.splitlines() if line.startswith("    "))


def anchors_of(document: Path) -> set[str]:
    """Return the anchors of the headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose_of(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links_of(document: Path) -> Iterator[tuple[Path, str]]:
    """Read the links to files: the file, and the anchor or an empty text."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(document)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        yield (document.parent / path).resolve() if path else document, anchor
