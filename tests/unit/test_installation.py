"""What is declared is what an installation needs, and a machine without Python says what helps."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]

# Imports nothing of the distributions that are not declared, as in an installation without them.
_RUN = """
import sys
missing = set(sys.argv[2].split())
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}")
sys.meta_path.insert(0, Missing())
import importlib
sys.argv, entry = ["command", "--help"], sys.argv[1].split(":")
getattr(importlib.import_module(entry[0]), entry[1])()
"""


def pyproject_of(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))


def declared(project: Path) -> set[str]:
    """Name all distributions that an installation of `project` brings."""
    pyproject = pyproject_of(project)
    files = pyproject["tool"]["setuptools"].get("dynamic", {"dependencies": {"file": []}})
    lines = list(pyproject["project"].get("dependencies", ()))
    for file in files["dependencies"]["file"]:
        lines += (project / file).read_text(encoding="utf-8").splitlines()
    waiting = [Requirement(line) for line in lines if not line.startswith("#")]
    found: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        needed = canonicalize_name(requirement.name)
        if needed not in found and (not requirement.marker or requirement.marker.evaluate()):
            found.add(needed)
            waiting += [Requirement(line) for line in distribution(needed).requires or ()]
    return found


@pytest.mark.parametrize("project", [ROOT, ROOT / "client"], ids=["service", "client"])
def test_an_installed_command_finds_all_that_it_imports(project: Path) -> None:
    [entry] = pyproject_of(project)["project"]["scripts"].values()
    installed = declared(project)
    missing = {
        package
        for package, owners in packages_distributions().items()
        if not {canonicalize_name(owner) for owner in owners} & installed
    } - {"billing_app", "billing_client", "chalicelib", "app"}
    assert {"pytest", "moto"} <= missing
    run = subprocess.run(
        [sys.executable, "-c", _RUN, entry, " ".join(missing)],
        env={"PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Usage:" in run.stdout, run.stderr


def install(tmp_path: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    """Run tools/install.sh on a machine that has only these programs, given as shell scripts."""
    for name in ("cat", "sed"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    for name, script in programs.items():
        program = tmp_path / name.replace("_", ".")
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    return subprocess.run(
        ["/bin/sh", "tools/install.sh", tmp_path / "venv", "requirements/dev.txt"],
        cwd=ROOT,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_machine_without_python_is_told_how_to_get_it(tmp_path: Path) -> None:
    # pyenv's shims are there and start nothing.
    run = install(tmp_path, python3_13="exit 127", python3="exit 127")
    assert run.returncode == 1
    assert "sudo apt install python3 python3-venv" in run.stderr


def test_a_machine_without_the_venv_module_is_told_how_to_get_it(tmp_path: Path) -> None:
    has_no_venv = 'case "$2" in *ensurepip*) exit 1 ;; esac'
    run = install(tmp_path, python3_13="exit 127", python3=has_no_venv)
    assert run.returncode == 1
    assert f"{tmp_path}/python3 can't create virtual environments" in run.stderr
    assert "sudo apt install python3-venv" in run.stderr
