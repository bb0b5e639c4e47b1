"""`docs/operators.md` and the code say the same."""

from pathlib import Path

import pytest

from billing_app.domain.bill_lines import COLUMNS, MESSAGES
from billing_app.domain.operator_errors import OPERATOR_CATALOGUE
from billing_app.use_cases.operator_events import EVENT_NAMES

PAGE = (Path(__file__).parents[3] / "docs" / "operators.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("code", "message"), MESSAGES.items())
def test_each_problem_of_a_line_is_on_the_page(code: str, message: str) -> None:
    assert f"| `{code}` | {message} |" in PAGE


@pytest.mark.parametrize("code", OPERATOR_CATALOGUE)
def test_each_error_is_on_the_page(code: str) -> None:
    kind = OPERATOR_CATALOGUE[code]
    assert f"| `{code}` | {kind.message} | {kind.advice} |" in PAGE


@pytest.mark.parametrize("name", EVENT_NAMES)
def test_each_function_is_on_the_page(name: str) -> None:
    assert f"| `{name}` |" in PAGE


def test_the_columns_are_on_the_page() -> None:
    assert ",".join(COLUMNS) in PAGE
