"""Runs Terraform on a copy of the configuration, with its output in a log."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tools.deploy_check.errors import NotPrepared, RehearsalError

_MIRROR = "TF_PLUGIN_DIR"
_LAST_LINES = 40
# What `plan -detailed-exitcode` returns when there is something to do; no other command does.
_CHANGES = 2
Say = Callable[[str], None]


def program() -> str:
    """Return the path of terraform. Raises NotPrepared when there is none."""
    found = shutil.which("terraform")
    if found is None:
        raise NotPrepared("Terraform is not installed: https://developer.hashicorp.com/terraform")
    return found


class Terraform:
    """Terraform in one folder. `say` is told what it is doing, a line at a time."""

    def __init__(
        self,
        folder: Path,
        *,
        log: Path,
        environment: Mapping[str, str],
        variables: Mapping[str, str],
        say: Say,
    ) -> None:
        self._binary = program()
        self._folder = folder
        self._log = log
        self._say = say
        # Most of the time it waits for what the provider waits for.
        self._always = (
            *("-input=false", "-parallelism=50", "-json"),
            *(f"-var={name}={value}" for name, value in variables.items()),
        )
        self._environment = {**_plain_environment(), **environment, **_settings(folder.parent)}

    def init(self) -> None:
        """Fetch the provider, from the mirror where TF_PLUGIN_DIR names one."""
        try:
            self._run("init", "-input=false", "-no-color")
        except RehearsalError as error:
            hint = f"Without a way to the registry, set {_MIRROR} to a mirror of the provider."
            raise RehearsalError(f"{error}\n{hint}") from error

    def apply(self) -> None:
        """Make everything. Raises RehearsalError with what Terraform complained of."""
        self._run("apply", "-auto-approve", *self._always)

    def changes(self) -> list[str]:
        """Plan once more; return what would change, a line for each resource and output."""
        code = self._run("plan", "-out=again.tfplan", "-detailed-exitcode", *self._always)
        return changed(self._json("show", "-json", "again.tfplan")) if code == _CHANGES else []

    def destroy(self) -> None:
        """Take everything away."""
        # The plan before it has just looked at everything.
        self._run("destroy", "-auto-approve", "-refresh=false", *self._always)

    def outputs(self) -> dict[str, Any]:
        """Return the values of the root's outputs."""
        return {name: one["value"] for name, one in self._json("output", "-json").items()}

    def _json(self, *arguments: str) -> dict[str, Any]:
        ran = subprocess.run(  # noqa: S603 - our own tool with fixed arguments
            [self._binary, *arguments],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
        )
        if ran.returncode != 0:
            raise RehearsalError(f"terraform {arguments[0]} failed:\n{ran.stderr.strip()}")
        answer: dict[str, Any] = json.loads(ran.stdout)
        return answer

    def _run(self, *arguments: str) -> int:
        problems: list[str] = []
        with self._log.open("a", encoding="utf-8", buffering=1) as log:
            log.write(f"$ terraform {' '.join(arguments)}\n")
            with subprocess.Popen(  # noqa: S603 - our own tool with fixed arguments
                [self._binary, *arguments],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process:
                try:
                    self._follow(process, log.write, problems)
                except BaseException:
                    # Terraform ends in order by itself and then leaves its state whole.
                    process.terminate()
                    raise
        if process.returncode not in (0, _CHANGES):
            said = "\n".join(problems) or _tail(self._log)
            raise RehearsalError(f"terraform {arguments[0]} failed:\n{said}")
        return process.returncode

    def _follow(
        self, process: subprocess.Popen[str], write: Callable[[str], Any], problems: list[str]
    ) -> None:
        for line in process.stdout or ():
            event = _event(line)
            message = event.get("@message", line.rstrip())
            write(message + "\n")
            self._say(message)
            if event.get("@level") == "error":
                problems.append(problem_of(event))


def _settings(folder: Path) -> dict[str, str]:
    settings = {
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
        # A service without an endpoint of its own must never be looked for in AWS.
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    mirror = os.environ.get(_MIRROR)
    if not mirror:
        return settings
    file = folder / "terraform.rc"
    path = json.dumps(mirror)
    file.write_text(
        f"provider_installation {{\n  filesystem_mirror {{\n    path = {path}\n  }}\n}}\n"
    )
    return {**settings, "TF_CLI_CONFIG_FILE": str(file)}


def _plain_environment() -> dict[str, str]:
    """Return the environment without settings of anybody's account or Terraform."""
    own = ("AWS_", "TF_CLI_ARGS", "TF_DATA_DIR", "TF_LOG", "TF_VAR_", "TF_WORKSPACE")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}


def _event(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def problem_of(event: Mapping[str, Any]) -> str:
    """Return what an error of Terraform's log says: message, resource and detail."""
    diagnostic = event.get("diagnostic", {})
    parts = (event.get("@message"), diagnostic.get("address"), diagnostic.get("detail"))
    return "\n  ".join(str(part) for part in parts if part)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-_LAST_LINES:])


def changed(shown: Mapping[str, Any]) -> list[str]:
    """Return what a plan (as `terraform show -json` tells it) would change, a line for each."""
    resources = [
        f"{change['address']}: {_named(change)} {_attributes(change)}".strip()
        for change in shown.get("resource_changes", ())
        if change["change"]["actions"] not in (["no-op"], ["read"])
    ]
    outputs = [
        f"output {name}: {'/'.join(change['actions'])}"
        for name, change in shown.get("output_changes", {}).items()
        if change["actions"] != ["no-op"]
    ]
    return resources + outputs


def _named(change: Mapping[str, Any]) -> str:
    return "/".join(change["change"]["actions"])


def _attributes(change: Mapping[str, Any]) -> str:
    """Name the attributes that would change, without their values, which may be secret."""
    forcing = change["change"].get("replace_paths")
    if forcing:
        return f"(because of {', '.join(str(path[0]) for path in forcing)})"
    before, after = change["change"]["before"] or {}, change["change"]["after"] or {}
    unknown = change["change"].get("after_unknown") or {}
    names = sorted(
        name
        for name in {*before, *after, *unknown}
        if before.get(name) != after.get(name) or unknown.get(name) is True
    )
    return f"({', '.join(names)})" if names else ""
