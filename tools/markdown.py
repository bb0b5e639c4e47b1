"""Tables of pages, and parts that are written anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(heading: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = False) -> str:
    """Return a table; `numbers` aligns all columns but the first to the right."""
    rules = ["---", *["---:" if numbers else "---"] * (len(heading) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [heading, rules, *rows])


def replaced(text: str, name: str, part: str) -> str:
    """Return the text with what stands between `<!-- reference: NAME -->` and its end replaced.

    Raises:
        ValueError: the text has no such part.
    """
    start, end = f"<!-- reference: {name} -->\n", "<!-- /reference -->"
    before, found, rest = text.partition(start)
    if not found:
        raise ValueError(f"There is no part {name}.")
    return f"{before}{start}\n{part}\n\n{end}{rest.partition(end)[2]}"
