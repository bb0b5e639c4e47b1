"""Terraform's own checks of the root and of every module, without an account."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.terraform import MODULES, TERRAFORM, Terraform, run, terraform_program
from tests.support.terraform_readme import blocks, with_tables

# An empty name is the root.
CONFIGURATIONS = ("", *MODULES)


def folder_of(module: str) -> Path:
    """Return the folder of a module; an empty name is the root."""
    return TERRAFORM / "modules" / module if module else TERRAFORM


@pytest.fixture(scope="module")
def terraform(built_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    return Terraform(folder=tmp_path_factory.mktemp("terraform"), package=built_package)


@pytest.fixture(scope="module")
def module_tests(terraform: Terraform) -> Iterator[dict[str, Future[str]]]:
    """Start `terraform test` of every configuration, two at a time: each takes 500 MB."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield {module: pool.submit(_test, terraform, module) for module in CONFIGURATIONS}


def _test(terraform: Terraform, module: str) -> str:
    terraform.init(module)
    return terraform(module, "test", "-no-color")


@pytest.mark.parametrize("module", CONFIGURATIONS)
def test_a_module_passes_its_own_tests(module: str, module_tests: dict[str, Future[str]]) -> None:
    output = module_tests[module].result()
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", output), output


def test_everything_is_formatted() -> None:
    run(
        [terraform_program(), "fmt", "-check", "-recursive", "-diff", "."],
        folder=TERRAFORM,
        env={},
    )


@pytest.mark.parametrize("module", CONFIGURATIONS)
def test_a_readme_lists_the_inputs_and_outputs(module: str) -> None:
    text = (folder_of(module) / "README.md").read_text(encoding="utf-8")
    assert text == with_tables(folder_of(module)), "run python -m tests.support.terraform_readme"


@pytest.mark.parametrize("module", CONFIGURATIONS)
def test_each_validation_has_a_run_that_it_rejects(module: str) -> None:
    folder = folder_of(module)
    tests = "\n".join(file.read_text() for file in (folder / "tests").glob("*.tftest.hcl"))
    validated = {
        name: len(variable["validation"])
        for name, variable in blocks(folder / "variables.tf", "variable")
        if "validation" in variable
    }
    rejecting = " ".join(re.findall(r"expect_failures = \[(.*?)\]", tests, re.DOTALL))
    rejected = Counter(re.findall(r"var\.(\w+)", rejecting))
    assert {name for name, count in validated.items() if rejected[name] < count} == set()
