"""The page on security has a proof for each place, kind of threat and risk of OWASP."""

from __future__ import annotations

import re

from tests.support.documents import ROOT, text_of

PAGE = ROOT / "docs" / "security.md"
PLACES = ["client", "gateway", "request queue", "function", "database", "cache", "reply queue"]
PLACES += ["operator"]
# Nobody asks a cache who wrote what: its entries are believed only with the version of the books.
NO_THREAT = {("cache", "R")}


def rows(name: str) -> list[list[str]]:
    """Return the cells of a table's rows, without its head."""
    part = re.search(rf"<!-- {name} -->(.*)<!-- /{name} -->", text_of(PAGE), re.DOTALL)
    assert part is not None
    lines = [line for line in part[1].splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_each_place_has_each_kind_of_threat() -> None:
    found, place = set(), ""
    for row in rows("threats"):
        place = row[0] or place
        found.add((place, row[1]))
    assert found == {(one, kind) for one in PLACES for kind in "STRIDE"} - NO_THREAT


def test_each_risk_of_owasp_has_its_row() -> None:
    assert [row[0].split()[0] for row in rows("owasp")] == [f"API{n}" for n in range(1, 11)]


def test_each_row_names_a_proof() -> None:
    for row in (*rows("threats"), *rows("owasp")):
        assert re.search(r"`test_\w+`|tftest\.hcl`: `\w+`", row[-1]), row
