"""The catalogue of mutants fits the code, and a hunt believes nothing but a test that failed."""

from __future__ import annotations

import ast
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.mutations.catalogue import CATALOGUE
from tests.mutations.copies import ROOT
from tests.mutations.mutant import DoesNotFit, Mutation
from tests.mutations.runs import Run, run_tests

INVARIANTS = json.loads((ROOT / "terraform" / "invariants.json").read_text("utf-8"))
each_mutant = pytest.mark.parametrize("mutant", CATALOGUE, ids=lambda mutant: mutant.name)


def a_mutant(old: str, new: str = "") -> Mutation:
    return Mutation("planted", ("I1",), "toy.py", old, new, ("test_toy.py",))


def names_of_tests(path: Path) -> set[str]:
    """Name the tests of a file, without running it."""
    tree = ast.parse(path.read_text("utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return {name for name in functions if name.startswith("test_")}


@each_mutant
def test_a_mutant_changes_one_place_of_the_code(mutant: Mutation) -> None:
    assert mutant.mutated(ROOT) != (ROOT / mutant.file).read_text("utf-8")


@each_mutant
def test_a_mutant_names_tests_that_exist(mutant: Mutation) -> None:
    for test in mutant.caught_by:
        file, _, name = test.partition("::")
        assert (ROOT / file).exists(), file
        assert not name or name in names_of_tests(ROOT / file), test


@each_mutant
def test_a_mutant_endangers_an_invariant(mutant: Mutation) -> None:
    assert mutant.endangers
    assert set(mutant.endangers) <= set(INVARIANTS)


def test_each_invariant_has_a_mutant_and_each_mutant_its_own_name() -> None:
    assert {number for mutant in CATALOGUE for number in mutant.endangers} == set(INVARIANTS)
    assert max(Counter(mutant.name for mutant in CATALOGUE).values()) == 1


@pytest.mark.parametrize(("text", "times"), [("x = 1\n", 0), ("a = b\na = b\n", 2)])
def test_a_mutant_that_does_not_fit_says_so(tmp_path: Path, text: str, times: int) -> None:
    (tmp_path / "toy.py").write_text(text)
    with pytest.raises(DoesNotFit, match=f"planted: .* toy.py once and is there {times} times"):
        a_mutant("a = b\n").plant(tmp_path)
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
    "import time; time.sleep(60)": "took too long",
}


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A project with one function and one test, and the witness where a copy has it."""
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    (tmp_path / "toy.py").write_text(CODE)
    (tmp_path / "test_toy.py").write_text(TEST)
    folder = tmp_path / "tests" / "mutations"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "mutations" / "witness.py", folder)
    return tmp_path


@pytest.mark.parametrize(("planted", "verdict"), PLANTED.items())
def test_only_a_test_that_failed_has_caught_a_mutant(toy: Path, planted: str, verdict: str) -> None:
    mutant = a_mutant("return sum(lines)", planted)
    (toy / "toy.py").write_text(CODE.replace("return sum(lines)", planted))
    seconds = 3 if verdict == "took too long" else 30
    run = run_tests(toy, mutant.caught_by, seconds=seconds, database_url="")
    assert run.verdict == verdict, run.output


def test_a_run_of_other_code_than_the_copys_proves_nothing() -> None:
    run = Run(code=1, seconds=1, failed=("t",), broken=(), strays=("app",), output="")
    assert run.verdict == "ran other code"
