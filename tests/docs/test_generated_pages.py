"""Pages show what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.reference import COSTS, PAGES, written


# Of the costs, which each new route or alarm moves a little, test_costs.py compares the sums.
@pytest.mark.parametrize("page", [one for one in PAGES if one != COSTS], ids=lambda page: page.name)
def test_the_generated_parts_of_a_page_are_up_to_date(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == written(page), "run `python -m tools.reference`"
