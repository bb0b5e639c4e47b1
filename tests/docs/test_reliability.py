"""docs/reliability.md and the planted bugs speak of the promises as they are."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.mutations.catalogue import CATALOGUE
from tests.support.documents import ROOT, text_of

INVARIANTS: dict[str, Any] = json.loads(text_of(ROOT / "terraform" / "invariants.json"))
PAGE = text_of(ROOT / "docs" / "reliability.md")


def rows(section: str) -> list[list[str]]:
    """Return the cells of the rows of the table between the section's marks."""
    table = PAGE.partition(f"<!-- {section} -->")[2].partition(f"<!-- /{section} -->")[0]
    lines = [line for line in table.splitlines() if line.startswith("| I")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_promises_are_those_of_the_service() -> None:
    assert rows("invariants") == [
        [number, f"`{invariant['name']}`", invariant["promise"]]
        for number, invariant in INVARIANTS.items()
    ]


def test_each_promise_says_how_it_is_kept_and_attacked() -> None:
    proofs = rows("proofs")
    assert [row[0] for row in proofs] == list(INVARIANTS)
    for number, kept_by, attacked_by, *_ in proofs:
        assert kept_by, number
        assert re.search(r"`test_\w+`", attacked_by), number


def test_each_promise_is_endangered_by_a_planted_bug() -> None:
    assert {number for mutation in CATALOGUE for number in mutation.endangers} == set(INVARIANTS)
