"""docs/chaos.md tells of every fault that there is, and of no other."""

from __future__ import annotations

import re

from tools.chaos.faults import FAULTS
from tools.local.settings import REPOSITORY


def test_the_table_of_faults_is_the_list_of_faults() -> None:
    text = (REPOSITORY / "docs" / "chaos.md").read_text("utf-8")
    table = text.partition("<!-- faults -->")[2].partition("<!-- /faults -->")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) ?\|$", table, flags=re.MULTILINE)
    assert [name for name, _, _ in rows] == list(FAULTS)
    assert {name: summary for name, summary, _ in rows} == {
        name: fault.summary for name, fault in FAULTS.items()
    }
    assert {name: re.findall(r"`(\w+)`", ways) for name, _, ways in rows} == {
        name: [variant for variant in fault.variants if variant] for name, fault in FAULTS.items()
    }
