"""The catalogue fits the code, and only a test that failed has caught a mutation."""

from __future__ import annotations

import ast
import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.mutations.catalogue import CATALOGUE
from tests.mutations.mutation import DoesNotFit, Mutation
from tests.mutations.pytest_run import run_tests
from tests.mutations.run import ROOT

INVARIANTS = json.loads((ROOT / "terraform" / "invariants.json").read_text("utf-8"))


def a_mutation(old: str, new: str = "") -> Mutation:
    return Mutation("planted", ("I1",), "toy.py", old, new, ("test_toy.py",))


@cache
def names_of_tests(file: str) -> set[str]:
    """Name the tests of a file, without running it."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("mutation", CATALOGUE, ids=lambda mutation: mutation.name)
def test_a_mutation_fits_the_code_its_tests_and_the_invariants(mutation: Mutation) -> None:
    assert mutation.mutated(ROOT) != (ROOT / mutation.file).read_text("utf-8")
    assert mutation.endangers
    assert set(mutation.endangers) <= set(INVARIANTS)
    for test in mutation.caught_by:
        file, _, name = test.partition("::")
        assert (ROOT / file).exists(), file
        assert not name or name.partition("[")[0] in names_of_tests(file), test


def test_there_are_many_with_names_of_their_own_that_endanger_every_invariant() -> None:
    assert len(CATALOGUE) >= 130
    assert {number for mutation in CATALOGUE for number in mutation.endangers} == set(INVARIANTS)
    assert max(Counter(mutation.name for mutation in CATALOGUE).values()) == 1


@pytest.mark.parametrize(("text", "times"), [("x = 1\n", 0), ("a = b\na = b\n", 2)])
def test_a_mutation_that_does_not_fit_is_not_planted(tmp_path: Path, text: str, times: int) -> None:
    (tmp_path / "toy.py").write_text(text)
    with pytest.raises(DoesNotFit, match=f"planted: .* toy.py once and is there {times} times"):
        a_mutation("a = b\n").plant(tmp_path)
    assert (tmp_path / "toy.py").read_text() == text


CODE = "def total(lines):\n    return sum(lines)\n"
TEST = """
import pytest
from toy import total

@pytest.fixture
def lines():
    return [total([1]), 2]

def test_total(lines):
    assert total(lines) == 3
"""
PLANTED = {
    "return sum(lines)": "survived",
    "return sum(lines) + len(lines) - 1": "caught",
    "raise ValueError": "broke the tests",
    "return sum(": "broke the tests",
    "import os; os._exit(1)": "broke the tests",
    "import time; time.sleep(60)": "timed out",
}


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A project with one function and one test."""
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    (tmp_path / "toy.py").write_text(CODE)
    (tmp_path / "test_toy.py").write_text(TEST)
    return tmp_path


@pytest.mark.parametrize(("planted", "result"), PLANTED.items())
def test_only_a_failed_test_catches_a_mutation(toy: Path, planted: str, result: str) -> None:
    mutation = a_mutation("return sum(lines)", planted)
    (toy / "toy.py").write_text(CODE.replace("return sum(lines)", planted))
    seconds = 3 if result == "timed out" else 30
    run = run_tests(toy, mutation.caught_by, seconds=seconds)
    assert run.result == result, run.output
