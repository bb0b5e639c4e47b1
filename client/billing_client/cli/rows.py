"""A table of cells, for people and for pipes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

# Columns that are of no use when they are cut or folded.
UNBROKEN = frozenset(
    {"Amount", "Bill", "Due", "Overdue", "Period", "Receipt", "Total", "Utility", "When", "#"}
)
# Columns that are read from their right end.
FLUSH_RIGHT = frozenset({"Amount", "Bills", "Overdue", "Total"})
GAP = "  "


@dataclass
class Rows:
    """Headings, and rows with a cell for each."""

    headings: tuple[str, ...]
    rows: list[tuple[Text, ...]] = field(default_factory=list)

    def add(self, *cells: Text | str) -> None:
        """Add a row; what comes from outside must have been made safe."""
        self.rows.append(tuple(Text(c) if isinstance(c, str) else c for c in cells))

    def ruled(self) -> Table:
        """Return a table for a terminal, which folds long names into its width."""
        table = Table(
            box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold"
        )
        for heading in self.headings:
            table.add_column(
                heading,
                justify="right" if heading in FLUSH_RIGHT else "left",
                no_wrap=heading in UNBROKEN,
                overflow="fold",
            )
        for row in self.rows:
            table.add_row(*row)
        return table

    def plain(self) -> Iterator[str]:
        """Yield aligned lines, none of them cut.

        Laying out thousands of rows with rich takes seconds, most of them for folding.
        """
        lines = [self.headings, *(tuple(cell.plain for cell in row) for row in self.rows)]
        widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
        return (self._line(line, widths) for line in lines)

    def _line(self, line: tuple[str, ...], widths: list[int]) -> str:
        columns = zip(self.headings, line, widths, strict=True)
        return GAP.join(_filled(*column) for column in columns).rstrip()


def _filled(heading: str, text: str, width: int) -> str:
    gap = " " * (width - cell_len(text))
    return gap + text if heading in FLUSH_RIGHT else text + gap
