"""The commands of `billing-admin` that do one operation, made from its record."""

from __future__ import annotations

import getpass
import shlex
import sys
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import click
from marshmallow import fields

from billing_app.admin.cli.context import CliContext, confirm, json_option, yes_option
from billing_app.admin.operation import AdminOperation, Command
from billing_app.admin.operations import OPERATIONS

Decorator = Callable[[Any], Any]

_GROUPS = {
    "apartment": "Add apartments and give them to residents.",
    "provider": "Add the companies that send bills.",
    "resident": "Add residents, end residencies and logins.",
}


def add_commands(root: click.Group) -> None:
    """Add the command of every operation that has one, and the groups of such commands."""
    groups = {name: click.Group(name, help=text) for name, text in _GROUPS.items()}
    for group in groups.values():
        root.add_command(group)
    for operation in OPERATIONS.values():
        if operation.command:
            group_name, _, name = operation.command.name.rpartition(" ")
            parent = groups[group_name] if group_name else root
            parent.add_command(_command(operation, operation.command), name)


def _command(operation: AdminOperation, command: Command) -> click.Command:
    @click.pass_obj
    def run(cli: CliContext, /, yes: bool = True, **given: Any) -> None:
        arguments = {name: _json_value(one) for name, one in given.items() if one is not None}
        if arguments.pop("password_stdin", False):
            arguments["password"] = read_password()
        if command.question:
            confirm(command.question.format(**arguments), yes=yes)
        data = cli.ask(operation.name, arguments)
        cli.say(data, command.report({**arguments, **data}))

    decorated: Any = run
    options = [yes_option] if command.question else []
    for decorate in (json_option, *options, *reversed(list(_parameters(operation)))):
        decorated = decorate(decorated)
    text = f"{command.help}\n\n\b\nExample:\n  {_example(operation, command)}"
    return click.command(help=text)(decorated)


def _parameters(operation: AdminOperation) -> Iterator[Decorator]:
    for name, field in operation.schema.fields.items():
        if field.metadata.get("stdin"):
            yield click.option(
                f"--{name}-stdin", is_flag=True, help="Read the first password from stdin."
            )
        elif "help" in field.metadata:
            yield _option(name, field)
        else:
            yield click.argument(name, type=_type(field))


def _option(name: str, field: fields.Field[Any]) -> Decorator:
    option = field.metadata.get("option", f"--{name.replace('_', '-')}")
    named: dict[str, Any] = {"help": field.metadata["help"]}
    if isinstance(field, fields.Boolean):
        return click.option(option, name, is_flag=True, **named)
    if name == "operator":
        return click.option(option, name, default=getpass.getuser, **named)
    return click.option(option, name, type=_type(field), required=field.required, **named)


class _DayOrInstant(click.DateTime):
    """Checks the text and passes it on: the deployment knows when the day begins."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        super().convert(value, param, ctx)
        return value


def _type(field: fields.Field[Any]) -> Any:
    if isinstance(field, fields.UUID):
        return click.UUID
    if isinstance(field, fields.DateTime):
        return _DayOrInstant(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"])
    return click.STRING


def _example(operation: AdminOperation, command: Command) -> str:
    arguments, options = [], []
    for name, field in operation.schema.fields.items():
        if name not in operation.example or name == "operator":
            continue
        value = shlex.quote(operation.example[name])
        if "help" in field.metadata:
            options += [field.metadata.get("option", f"--{name}"), value]
        else:
            arguments.append(value)
    return " ".join(["billing-admin --local", command.name, *arguments, *options])


def _json_value(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value


def read_password() -> str:
    """Read a password from stdin: hidden where a person types it, else the first line."""
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise click.UsageError("No password on stdin.")
    return password
