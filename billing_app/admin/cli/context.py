"""Shared by all commands: backend, output, options and exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import click

from billing_app.admin.formatting import visible
from billing_app.admin.operations import Answer, rejected
from billing_app.domain.errors import Rejection
from billing_app.ports.operator_ledger import BillIssuer

EXIT_FAILED = 1
EXIT_REJECTED = 3
# Scripts want to tell these from an id that was mistyped.
_EXIT_CODES = {"lines_rejected": 4, "ledger_differs": 5}
EXIT_INTERRUPTED = 130


@dataclass(frozen=True)
class Backend:
    """The operations, done in this process or by deployed functions."""

    ask: Callable[[str, Mapping[str, Any]], Answer]
    bills: BillIssuer


class CliContext:
    """One run of `billing-admin`; nothing is connected before it is asked for.

    Args:
        open_backend: Opens the deployed functions of a prefix, or the local service for None.
    """

    def __init__(self, open_backend: Callable[[str | None], Backend]) -> None:
        self._open_backend = open_backend
        self.local = False
        self.invoke: str | None = None
        self.as_json = False
        self.traceback = False

    @cached_property
    def backend(self) -> Backend:
        """Where the operations are done."""
        if self.local == bool(self.invoke):
            raise click.UsageError("Give either --local or --invoke PREFIX, before the command.")
        return self._open_backend(self.invoke)

    def ask(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Do an operation and return its data.

        Raises:
            NotDone: it was rejected or failed.
        """
        answer = self.backend.ask(name, arguments)
        if answer["status"] != "done":
            raise NotDone(answer, as_json=self.as_json)
        data: dict[str, Any] = answer["data"] or {}
        return data

    def not_done(self, rejection: Rejection) -> NotDone:
        """Return a rejection as what ends the command."""
        return NotDone(rejected(rejection), as_json=self.as_json)

    def say(self, data: Mapping[str, Any], sentence: str) -> None:
        """Print the data as JSON if that was asked for, else the sentence."""
        click.echo(json.dumps(data, indent=2) if self.as_json else visible(sentence))


class NotDone(click.ClickException):
    """Ends the command: one sentence on stderr, and with --json the whole answer on stdout."""

    def __init__(self, answer: Answer, *, as_json: bool) -> None:
        super().__init__(answer["message"])
        self.answer = answer
        self.as_json = as_json

    @property
    def exit_code(self) -> int:  # type: ignore[override]  # click has it as a constant
        """What the process ends with."""
        if self.answer["status"] == "failed":
            return EXIT_FAILED
        return _EXIT_CODES.get(self.answer["code"], EXIT_REJECTED)

    def show(self, file: Any = None) -> None:  # noqa: ARG002 - click's signature
        """Print the answer."""
        if self.as_json:
            click.echo(json.dumps(self.answer, indent=2))
        advice = self.answer.get("advice") or ""
        sentence = f"billing-admin: {self.answer['code']}: {self.message} {advice}"
        click.echo(visible(sentence.strip()), err=True)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that can't be undone.

    Raises:
        click.Abort: the answer is not yes.
    """
    if not yes:
        click.confirm(visible(question), abort=True, err=True)


def _json_given(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    cli = context.find_object(CliContext)
    if value and cli is not None:
        cli.as_json = True


json_option = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=_json_given,
    help="Print JSON.",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
