"""What every command shares: whom it asks, how it says what came of it, and its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import click

from billing_app.commands.settings import Target
from billing_app.domain.bill_lines import visible
from billing_app.domain.errors import Rejection
from billing_app.ports.operator_ledger import BillIssuer
from billing_app.use_cases.operator_events import Answer, rejected

EXIT_FAILED = 1
EXIT_REJECTED = 3
# Scripts want to tell these from an id that was mistyped.
_EXIT_CODES = {"lines_rejected": 4, "books_differ": 5}
EXIT_INTERRUPTED = 130


@dataclass(frozen=True)
class Reach:
    """The use cases, run here or as deployed functions."""

    ask: Callable[[str, Mapping[str, Any]], Answer]
    bills: BillIssuer


@dataclass
class Session:
    """One run of `billing-admin`; nothing is connected before it is asked for."""

    open_reach: Callable[[Target], Reach]
    target: Target
    as_json: bool = False
    traceback: bool = False
    _reach: Reach | None = None

    @property
    def reach(self) -> Reach:
        """The use cases."""
        if self._reach is None:
            self._reach = self.open_reach(self.target)
        return self._reach

    def ask(self, name: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Run a use case and return its data. Raises Declined when it was not done."""
        return self.done(self.reach.ask(name, {k: v for k, v in event.items() if v is not None}))

    def done(self, answer: Answer) -> dict[str, Any]:
        """Return the data of an answer. Raises Declined when it is not `done`."""
        if answer["status"] != "done":
            raise Declined(answer, as_json=self.as_json)
        data: dict[str, Any] = answer["data"] or {}
        return data

    def decline(self, rejection: Rejection) -> NoReturn:
        """End the command with a rejection."""
        raise Declined(rejected(rejection), as_json=self.as_json)

    def say(self, data: Mapping[str, Any], sentence: str) -> None:
        """Print what came of it: a sentence for people, or the data."""
        click.echo(json_text(data) if self.as_json else visible(sentence))


class Declined(click.ClickException):
    """Will end the command: one sentence on stderr, and with --json the whole answer on stdout."""

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
            click.echo(json_text(self.answer))
        advice = self.answer.get("advice") or ""
        sentence = f"billing-admin: {self.answer['code']}: {self.message} {advice}"
        click.echo(visible(sentence.strip()), err=True)


def json_text(value: object) -> str:
    """Write JSON that is safe on any terminal, since it is ASCII."""
    return json.dumps(value, indent=2)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that can't be undone. Raises click.Abort on anything but yes."""
    if not yes:
        click.confirm(visible(question), abort=True, err=True)


def _json_given(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    session = context.find_object(Session)
    if value and session is not None:
        session.as_json = True


json_option = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=_json_given,
    help="Print JSON instead of text for people.",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
