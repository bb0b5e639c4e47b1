"""A planted bug, and how it is planted in a copy of the code."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path


class DoesNotFit(Exception):
    """The text that a mutation replaces isn't in its file exactly once: the code has changed."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A bug that somebody could make, and the tests that must fail because of it.

    `endangers`: numbers of `terraform/invariants.json`. `file`: path from the root. `old` stands in
    it exactly once and becomes `new`. `caught_by`: test files, or `file::test`.
    """

    name: str
    endangers: tuple[str, ...]
    file: str
    old: str
    new: str
    caught_by: tuple[str, ...]

    def mutated(self, root: Path) -> str:
        """Return the text of the file with the bug in it.

        Raises:
            DoesNotFit: Names the mutation, the file and how often the old text was found.
        """
        text = (root / self.file).read_text(encoding="utf-8")
        found = text.count(self.old)
        if found != 1:
            raise DoesNotFit(
                f"{self.name}: its old text must be in {self.file} once and is there {found} times:"
                f"\n{self.old}"
            )
        return text.replace(self.old, self.new)

    def plant(self, root: Path) -> None:
        """Write the bug into the copy at `root`.

        Raises:
            DoesNotFit: As `mutated` does.
        """
        path = root / self.file
        path.write_text(self.mutated(root), encoding="utf-8")
        # Python trusts bytecode by second and size; the bug could have both of the original.
        if path.suffix == ".py":
            Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
