"""Terraform's own checks of the root and of every module, without an account."""

from __future__ import annotations

import json
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
# What `terraform test` said of each run: its status, and what is wrong.
Outcomes = dict[str, list[str]]
_RUN = re.compile(r'^run "(\w+)" \{\n.*?^\}\n', re.MULTILINE | re.DOTALL)


def folder_of(module: str) -> Path:
    """Return the folder of a module; an empty name is the root."""
    return TERRAFORM / "modules" / module if module else TERRAFORM


RUNS = [
    (module, run[1])
    for module in CONFIGURATIONS
    for file in (folder_of(module) / "tests").glob("*.tftest.hcl")
    for run in _RUN.finditer(file.read_text(encoding="utf-8"))
]


@pytest.fixture(scope="module")
def terraform(built_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    return Terraform(folder=tmp_path_factory.mktemp("terraform"), package=built_package)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, terraform: Terraform
) -> Iterator[dict[str, Future[Outcomes]]]:
    """Start the chosen runs of every configuration, two at a time: each takes 500 MB."""
    chosen: dict[str, set[str]] = {}
    for item in request.session.items:
        callspec = getattr(item, "callspec", None)
        if callspec and "run_name" in callspec.params:
            chosen.setdefault(callspec.params["module"], set()).add(callspec.params["run_name"])
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield {one: pool.submit(_test, terraform, one, runs) for one, runs in chosen.items()}


def _test(terraform: Terraform, module: str, runs: set[str]) -> Outcomes:
    """Run `terraform test`, without the runs that were not chosen, and sort what it says by run."""
    terraform.init(module)
    for file in (terraform.folder(module) / "tests").glob("*.tftest.hcl"):
        text = file.read_text(encoding="utf-8")
        file.write_text(_RUN.sub(lambda run: run[0] if run[1] in runs else "", text), "utf-8")
    outcomes: Outcomes = {}
    for line in terraform(module, "test", "-json", codes=(0, 1)).splitlines():
        said = json.loads(line)
        if result := said.get("test_run", {}).get("status"):
            outcomes.setdefault(said["test_run"]["run"], []).append(result)
        if "diagnostic" in said:
            problem = f"{said['diagnostic']['summary']}: {said['diagnostic']['detail']}"
            outcomes.setdefault(said.get("@testrun", ""), []).append(problem)
    return outcomes


# Loaded with other work, a machine may need minutes.
@pytest.mark.timeout(280)
@pytest.mark.parametrize(
    ("module", "run_name"), RUNS, ids=[f"{module or 'root'}-{run}" for module, run in RUNS]
)
def test_run(module: str, run_name: str, outcomes: dict[str, Future[Outcomes]]) -> None:
    """A run of a module's own tests passes."""
    assert outcomes[module].result().get(run_name) == ["pass"], outcomes[module].result()


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
