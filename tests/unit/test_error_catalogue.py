"""The catalogue has the codes that the code raises."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from billing_app.domain import errors
from billing_app.domain.errors import CATALOGUE
from tests.support.documents import ROOT


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
