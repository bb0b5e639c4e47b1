"""Runs Terraform on a copy of the configuration, with its output in a log."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.deploy_check.errors import DeployCheckError, MissingPrerequisiteError

_MIRROR = "TF_PLUGIN_DIR"
_LAST_LINES = 40
# What `plan -detailed-exitcode` returns when there is something to do; no other command does.
_CHANGES = 2


def program() -> str:
    """Return the path of terraform.

    Raises:
        MissingPrerequisiteError: it is not installed.
    """
    found = shutil.which("terraform")
    if found is None:
        raise MissingPrerequisiteError(
            "Terraform is not installed: https://developer.hashicorp.com/terraform"
        )
    return found


class Terraform:
    """Terraform in one folder; every method raises DeployCheckError with what it complained of."""

    def __init__(
        self,
        folder: Path,
        *,
        log: Path,
        environment: Mapping[str, str],
        variables: Mapping[str, str],
    ) -> None:
        self._folder, self._log = folder, log
        # Most of the time it waits for what the provider waits for.
        self._always = (
            *("-input=false", "-parallelism=50", "-no-color"),
            *(f"-var={name}={value}" for name, value in variables.items()),
        )
        self._environment = {
            **_plain_environment(),
            **environment,
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            # A service without an endpoint of its own must never be looked for in AWS.
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def init(self) -> None:
        """Fetch the provider, from the mirror where TF_PLUGIN_DIR names one."""
        try:
            self._run("init", "-input=false", "-no-color", *_mirror())
        except DeployCheckError as error:
            hint = f"Without a way to the registry, set {_MIRROR} to a mirror of the provider."
            raise DeployCheckError(f"{error}\n{hint}") from error

    def apply(self) -> None:
        """Create everything."""
        self._run("apply", "-auto-approve", *self._always)

    def changes(self) -> list[str]:
        """Plan once more and return what would change, a line for each resource."""
        code, text = self._run("plan", "-detailed-exitcode", *self._always)
        lines = [line.strip() for line in text.splitlines()]
        found = [line.removeprefix("# ") for line in lines if line.startswith("# ")]
        return (found or lines[-_LAST_LINES:]) if code == _CHANGES else []

    def destroy(self) -> None:
        """Destroy everything."""
        # The plan before it has just looked at everything.
        self._run("destroy", "-auto-approve", "-refresh=false", *self._always)

    def outputs(self) -> dict[str, Any]:
        """Return the values of the root's outputs."""
        _, text = self._run("output", "-json")
        return {name: output["value"] for name, output in json.loads(text).items()}

    def _run(self, *arguments: str) -> tuple[int, str]:
        """Run a command; return its exit code and what it wrote."""
        with self._log.open("a+", encoding="utf-8", errors="replace") as log:
            log.write(f"$ terraform {' '.join(arguments)}\n")
            log.flush()
            start = log.tell()
            process = subprocess.Popen(  # noqa: S603 - our own tool with fixed arguments
                [program(), *arguments],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                code = process.wait()
            except BaseException:
                # Terraform ends in order by itself and then leaves its state whole.
                process.terminate()
                process.wait()
                raise
            log.seek(start)
            text = log.read()
        if code not in (0, _CHANGES):
            said = "\n".join(text.splitlines()[-_LAST_LINES:])
            raise DeployCheckError(f"terraform {arguments[0]} failed:\n{said}")
        return code, text


def _mirror() -> list[str]:
    folder = os.environ.get(_MIRROR)
    return [f"-plugin-dir={folder}"] if folder else []


def _plain_environment() -> dict[str, str]:
    """Return the environment without settings of anybody's account or Terraform."""
    own = ("AWS_", "TF_CLI_", "TF_DATA_DIR", "TF_LOG", "TF_VAR_", "TF_WORKSPACE")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}
