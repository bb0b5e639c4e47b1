"""`billing login`, `logout` and `apartments`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

import click

from billing_client.cli.context import CommandContext, is_private_connection, with_context
from billing_client.cli.terminal import Table, Terminal, cell
from billing_client.errors import RequestRejected
from billing_client.models import Apartment
from billing_client.serialization import Json, encode_plain


@dataclass(frozen=True)
class Secrets:
    """Reads passwords from stdin, the environment or a prompt, never from an argument."""

    from_stdin: bool

    def password(self) -> str:
        """Return the password."""
        if self.from_stdin:
            return _line_of_stdin()
        return os.environ.get("BILLING_PASSWORD") or _prompt("Password")

    def new_password(self) -> str:
        """Return the new password that the service requires."""
        if self.from_stdin:
            return _line_of_stdin()
        chosen = os.environ.get("BILLING_NEW_PASSWORD")
        return chosen or _prompt("New password", confirmation_prompt=True)


def _line_of_stdin() -> str:
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise click.UsageError("There is no password on stdin. Write each on its own line.")
    return line


def _prompt(text: str, *, confirmation_prompt: bool = False) -> str:
    return str(
        click.prompt(text, hide_input=True, confirmation_prompt=confirmation_prompt, err=True)
    )


@click.command(
    epilog="If the service requires a new password, you are prompted for it. It is read from the "
    "second line of stdin with --password-stdin, or from BILLING_NEW_PASSWORD."
)
@click.argument("username", required=False, envvar="BILLING_USERNAME")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@with_context
def login(context: CommandContext, username: str | None, password_stdin: bool) -> None:
    """Log in. You are prompted for the password unless BILLING_PASSWORD is set.

    \b
    Examples:
      billing login ada@example.com
      pass show billing | billing login ada@example.com --password-stdin
    """
    if not is_private_connection(context.files.base_url):
        raise click.UsageError(
            f"The connection to {context.files.base_url} is not encrypted, so others could read "
            "your password. Use an https:// address."
        )
    name = username or click.prompt("Username", err=True)
    _log_in(context, name, Secrets(password_stdin))
    session = context.session
    if context.terminal.as_json:
        resident = {"name": session.login.resident_name}
        answer = {"username": name, "resident": resident, **_as_json(session.apartments)}
        return context.terminal.answer(answer)
    context.terminal.say(f"Logged in as {session.login.resident_name}.", style="green")
    return _show(context.terminal, session.apartments)


def _log_in(context: CommandContext, username: str, secrets: Secrets) -> None:
    password = secrets.password()
    try:
        with context.terminal.waiting("Logging in"):
            context.client.login(username, password)
        return
    except RequestRejected as rejected:
        if rejected.code != "new_password_required":
            raise
    context.terminal.warn("You have to choose a new password.")
    new_password = secrets.new_password()
    with context.terminal.waiting("Setting the new password"):
        context.client.login(username, password, new_password)


@click.command()
@with_context
def logout(context: CommandContext) -> None:
    """Remove the login from this machine.

    Your history stays on this machine; only you see it again after the next login.

    \b
    Example:
      billing logout
    """
    was_logged_in = context.client.session is not None
    context.client.logout()
    if context.terminal.as_json:
        return context.terminal.answer({"logged_out": was_logged_in})
    return context.terminal.say("Logged out." if was_logged_in else "You were not logged in.")


@click.command()
@click.option("--refresh", is_flag=True, help="Fetch the current list.")
@with_context
def apartments(context: CommandContext, refresh: bool) -> None:
    """List your apartments, as of the last login.

    \b
    Examples:
      billing apartments
      billing apartments --refresh --json
    """
    if refresh:
        with context.terminal.waiting("Fetching your apartments"):
            context.client.refresh()
    listed = context.session.apartments
    if context.terminal.as_json:
        return context.terminal.answer(_as_json(listed))
    return _show(context.terminal, listed)


def _as_json(listed: tuple[Apartment, ...]) -> Json:
    numbered = enumerate(listed, start=1)
    return {"apartments": [{"number": n, **encode_plain(a)} for n, a in numbered]}


def _show(terminal: Terminal, listed: tuple[Apartment, ...]) -> None:
    if not listed:
        return terminal.say("You have no apartment.")
    table = Table(("#", "Address", "Apartment"))
    for number, apartment in enumerate(listed, start=1):
        address = f"{apartment.address} (former)" if apartment.former else apartment.address
        table.add(str(number), cell(address), cell(apartment.apartment_id))
    return terminal.show(table)
