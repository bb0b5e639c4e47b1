"""A planted bug, written as a hunk of a diff, and how it is planted in a copy of the code."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_CAUGHT_BY = "caught by "


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

    def __str__(self) -> str:
        """Return its name and what it endangers."""
        return f"{self.name} ({' '.join(self.endangers)})"

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


def read(text: str) -> Iterator[Mutation]:
    """Read mutations from a text that looks like a diff.

    Its paragraphs are of two kinds: `--- file`, which the following bugs are in, with the test
    file that catches them; and a bug: `name: invariants`, its own tests if it has any (`::test` is
    in the test file of the paragraph above), and a hunk whose lines are whole.
    """
    file, common = "", ""
    for paragraph in text.strip().split("\n\n"):
        head, *lines = paragraph.splitlines()
        tests = [one.removeprefix(_CAUGHT_BY) for one in lines if one.startswith(_CAUGHT_BY)]
        if head.startswith("--- "):
            file, [common] = head.removeprefix("--- "), tests
            continue
        name, endangers = head.split(": ")
        tests = [common + test if test.startswith("::") else test for test in tests or [common]]
        old, new = _side(lines, "-"), _side(lines, "+")
        yield Mutation(name, tuple(endangers.split()), file, old, new, tuple(tests))


def _side(lines: list[str], sign: str) -> str:
    """Return one side of a hunk: the lines with the sign, and those that both sides have."""
    return "".join(f"{line[1:]}\n" for line in lines if line[0] in (" ", sign))
