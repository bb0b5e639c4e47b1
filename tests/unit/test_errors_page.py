"""`docs/errors.md` says what the code says, and each code is met by a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from billing_app.domain.errors import CATALOGUE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
CONTRACT = (ROOT / "terraform" / "modules" / "api" / "openapi.yaml").read_text(encoding="utf-8")
# A code that stands in several templates is on the page with the words of the first.
GATEWAY_CODES = dict(reversed(re.findall(r'"code":"(\w+)","message":"([^"]+)"', CONTRACT)))
TESTS = [
    path.read_text(encoding="utf-8")
    for path in (ROOT / "tests").rglob("test_*.py")
    if path != Path(__file__)
]


@pytest.mark.parametrize("code", CATALOGUE)
def test_each_code_of_a_reply_is_on_the_page(code: str) -> None:
    kind = CATALOGUE[code]
    assert f"| `{code}` | {kind.status} | {kind.message} | {kind.advice} |" in PAGE


@pytest.mark.parametrize("code", sorted(GATEWAY_CODES))
def test_each_code_of_the_gateway_is_on_the_page(code: str) -> None:
    assert re.search(rf"^\| `{code}` \| \S+ \| {re.escape(GATEWAY_CODES[code])} \|", PAGE, re.M)


def test_the_page_names_no_code_that_does_not_exist() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.M)) == {*CATALOGUE, *GATEWAY_CODES}


@pytest.mark.parametrize("code", sorted({*CATALOGUE, *GATEWAY_CODES}))
def test_each_code_is_met_by_a_test(code: str) -> None:
    assert any(f'"{code}"' in text for text in TESTS)
