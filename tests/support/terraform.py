"""Terraform for tests: found on this machine or missed loudly, run on copies of the modules."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TERRAFORM = ROOT / "terraform"
MODULES = tuple(sorted(path.name for path in (TERRAFORM / "modules").iterdir() if path.is_dir()))
_NOT_COPIED = shutil.ignore_patterns(".terraform", ".terraform.lock.hcl", "*.tfstate*")


def missing(what: str, *, advice: str) -> None:
    """Skip loudly what can't be tested here; in CI that is a failure.

    Raises pytest's Failed or Skipped.
    """
    text = f"{what} is not on this machine, so its tests DID NOT RUN. {advice}"
    if os.environ.get("CI") == "true":
        pytest.fail(text)
    pytest.skip(text)


def terraform_program() -> str:
    """Return the path of terraform, or skip or fail."""
    program = shutil.which("terraform")
    if program is None:
        missing("terraform", advice="Install Terraform 1.11 or later.")
    assert program is not None
    return program


def provider_mirror() -> Path:
    """Return the folder that TF_PLUGIN_DIR names, or skip or fail."""
    folder = Path(os.environ.get("TF_PLUGIN_DIR") or "/nowhere")
    if not (folder / "registry.terraform.io" / "hashicorp" / "aws").is_dir():
        missing(
            "Terraform's AWS provider",
            advice="Set TF_PLUGIN_DIR to a mirror: terraform providers mirror FOLDER.",
        )
    return folder


class Terraform:
    """Runs terraform on a copy of the configuration with the package in it, offline."""

    def __init__(self, *, folder: Path, package: Path) -> None:
        self.program = terraform_program()
        self.mirror = provider_mirror()
        self.tree = folder / "terraform"
        shutil.copytree(TERRAFORM, self.tree, ignore=_NOT_COPIED)
        shutil.copytree(package, self.tree / "modules" / "functions", dirs_exist_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "TF_IN_AUTOMATION": "1",
            # The provider lives for a second or two: collecting its garbage is a third of that.
            "GOGC": "off",
        }

    def folder(self, module: str) -> Path:
        """Return the copied folder of a module; an empty name is the root."""
        return self.tree / "modules" / module if module else self.tree

    def __call__(self, module: str, *arguments: str, codes: Sequence[int] = (0,)) -> str:
        """Run terraform in a module's folder and return what it wrote.

        Raises AssertionError with its output when it ends with another code.
        """
        command = [self.program, *arguments]
        return run(command, folder=self.folder(module), env=self.environment, codes=codes)

    def init(self, module: str) -> None:
        """Make the module's folder ready, once."""
        if not (self.folder(module) / ".terraform").exists():
            mirror = f"-plugin-dir={self.mirror}"
            self(module, "init", "-no-color", "-input=false", "-backend=false", mirror)


def run(
    command: Sequence[str], *, folder: Path, env: dict[str, str], codes: Sequence[int] = (0,)
) -> str:
    """Run a command; its output becomes the failure when it ends with another code."""
    ran = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=280, check=False
    )
    output = ran.stdout + ran.stderr
    assert ran.returncode in codes, output[-6000:]
    return output
