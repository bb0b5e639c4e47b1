"""The catalogue has the codes that the code raises, and the pages show the catalogue."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from billing_app.domain import errors
from billing_app.domain.errors import CATALOGUE
from tools.reference import PAGES, ROOT, gateway_codes, gateway_messages


@pytest.mark.parametrize(
    ("page", "written"), PAGES.items(), ids=lambda one: getattr(one, "name", "")
)
def test_the_tables_of_a_page_are_up_to_date(page: Path, written: Callable[[str], str]) -> None:
    text = page.read_text(encoding="utf-8")
    assert written(text) == text, "run `python -m tools.reference`"


def test_every_code_of_the_gateway_has_advice() -> None:
    assert set(gateway_codes()) == set(gateway_messages())


def test_every_code_of_the_catalogue_is_raised_somewhere() -> None:
    assert set(CATALOGUE) - set(raised_codes()) == set()


def test_every_code_that_sql_raises_is_in_the_catalogue() -> None:
    rejected = re.compile(r"billing\.rejected\(\s*'(\w+)'")
    raised = {code for text in sql_texts() for code in rejected.findall(text)}
    assert raised
    assert raised - set(CATALOGUE) == set()


def raised_codes() -> Iterator[str]:
    """Yield the texts in the product's code, but for those that are only compared with."""
    for folder in ("billing_app", "chalicelib"):
        for path in (ROOT / folder).rglob("*.py"):
            if path != Path(errors.__file__):
                yield from _texts(ast.parse(path.read_text(encoding="utf-8")))
    for text in sql_texts():
        yield from re.findall(r"'(\w+)'", text)


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Compare):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


def sql_texts() -> Iterator[str]:
    """Yield the functions of the database without their comments."""
    for path in (ROOT / "sql").rglob("*.sql"):
        yield re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
