"""Runs of the billing command in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from billing_client.cli.main import cli
from click.testing import CliRunner, Result

Json = dict[str, Any]


@dataclass
class Billing:
    """A user of the command: an address, a folder for files, and the environment."""

    url: str
    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        own = {"BILLING_URL": self.url, "BILLING_HOME": str(self.folder), "COLUMNS": "120"}
        return {**own, **self.env}

    def run(self, *words: str, answers: str | None = None) -> Result:
        runner = CliRunner(env=self.environment())
        return runner.invoke(cli, words, input=answers, prog_name="billing")

    def ok(self, *words: str, answers: str | None = None) -> str:
        result = self.run(*words, answers=answers)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str) -> Json:
        found: Json = json.loads(self.ok(*words, "--json"))
        return found

    def login(self, username: str = "ada", password: str = "secret") -> str:  # noqa: S107
        return self.ok("login", username, "--password-stdin", answers=f"{password}\n")

    def files(self, pattern: str) -> list[Path]:
        return sorted(self.folder.rglob(pattern))
