"""``billing login``, ``logout`` and ``apartments``."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

import click

from billing_client.answers import Apartment
from billing_client.cli.desk import Desk, is_private_way, with_desk
from billing_client.cli.rows import Rows
from billing_client.cli.terminal import Terminal, cell
from billing_client.encoding import Json, encode_apartment
from billing_client.errors import RequestRejected


@dataclass(frozen=True)
class Secrets:
    """Where passwords come from: stdin, the environment or a prompt, never an argument."""

    from_stdin: bool

    def password(self) -> str:
        if self.from_stdin:
            return _line_of_stdin()
        return os.environ.get("BILLING_PASSWORD") or _prompt("Password")

    def new_password(self) -> str:
        if self.from_stdin:
            return _line_of_stdin()
        chosen = os.environ.get("BILLING_NEW_PASSWORD")
        return chosen or _prompt("New password", confirmation_prompt=True)


def _line_of_stdin() -> str:
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise click.UsageError("Stdin holds no password; give each on a line of its own.")
    return line


def _prompt(text: str, *, confirmation_prompt: bool = False) -> str:
    return str(
        click.prompt(text, hide_input=True, confirmation_prompt=confirmation_prompt, err=True)
    )


@click.command(
    epilog="A new password that the service demands is asked for, read from the second line of "
    "stdin, or from BILLING_NEW_PASSWORD."
)
@click.argument("username", required=False, envvar="BILLING_USERNAME")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@with_desk
def login(desk: Desk, username: str | None, password_stdin: bool) -> None:
    """Log in. The password is asked for, or read from stdin or BILLING_PASSWORD.

    \b
    Examples:
      billing login ada@example.com
      pass show billing | billing login ada@example.com --password-stdin
    """
    if not is_private_way(desk.files.base_url):
        desk.terminal.warn(f"{desk.files.base_url} is not encrypted: others may read along.")
    name = username or click.prompt("Username", err=True)
    _log_in(desk, name, Secrets(password_stdin))
    session = desk.session
    if desk.terminal.as_json:
        resident = {"name": session.login.resident_name}
        answer = {"username": name, "resident": resident, **_as_json(session.apartments)}
        return desk.terminal.answer(answer)
    desk.terminal.say(f"Logged in as {session.login.resident_name}.", style="green")
    return _show(desk.terminal, session.apartments)


def _log_in(desk: Desk, username: str, secrets: Secrets) -> None:
    password = secrets.password()
    try:
        with desk.terminal.waiting("Logging in"):
            desk.client.login(username, password)
        return
    except RequestRejected as rejected:
        if rejected.code != "new_password_required":
            raise
    desk.terminal.warn("A new password has to be chosen.")
    new_password = secrets.new_password()
    with desk.terminal.waiting("Setting the new password"):
        desk.client.login(username, password, new_password)


@click.command()
@with_desk
def logout(desk: Desk) -> None:
    """Forget the login on this machine.

    The tokens are removed. The history that was fetched stays, and only the same resident
    finds it again.

    \b
    Example:
      billing logout
    """
    was_logged_in = desk.client.session is not None
    desk.client.logout()
    if desk.terminal.as_json:
        return desk.terminal.answer({"logged_out": was_logged_in})
    return desk.terminal.say("Logged out." if was_logged_in else "You were not logged in.")


@click.command()
@click.option("--refresh", is_flag=True, help="Fetch the list anew.")
@with_desk
def apartments(desk: Desk, refresh: bool) -> None:
    """List your apartments, as of the last login.

    \b
    Examples:
      billing apartments
      billing apartments --refresh --json
    """
    if refresh:
        with desk.terminal.waiting("Fetching your apartments"):
            desk.client.refresh()
    listed = desk.session.apartments
    if desk.terminal.as_json:
        return desk.terminal.answer(_as_json(listed))
    return _show(desk.terminal, listed)


def _as_json(listed: tuple[Apartment, ...]) -> Json:
    numbered = enumerate(listed, start=1)
    return {"apartments": [{"number": n, **encode_apartment(a)} for n, a in numbered]}


def _show(terminal: Terminal, listed: tuple[Apartment, ...]) -> None:
    if not listed:
        return terminal.say("You have no apartment here yet.")
    rows = Rows(("#", "Address", "Apartment"))
    for number, apartment in enumerate(listed, start=1):
        rows.add(str(number), cell(apartment.address), cell(apartment.apartment_id))
    return terminal.show(rows)
