"""`billing-admin resident`: people, their logins and their apartments' keys."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from uuid import UUID

import click

from billing_app.commands.session import Session, confirm, json_option, yes_option

since_option = click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    help="They see what was posted from then on (UTC); from now on, if not given.",
)


@click.group()
def resident() -> None:
    """Add residents, end what they may do."""


@resident.command()
@click.argument("username")
@click.option("--name", required=True, help="The resident's name, in any script.")
@click.option("--email", help="Where Cognito mails the first password, if none is given.")
@click.option("--password-stdin", is_flag=True, help="Read the first password from stdin.")
@click.option("--permanent", is_flag=True, help="That password need not be changed.")
@click.option("--apartment", type=click.UUID, help="Give them this apartment.")
@click.option("--address", help="Add an apartment of this address and give them that.")
@since_option
@json_option
@click.pass_obj
def add(
    session: Session,
    username: str,
    name: str,
    email: str | None,
    password_stdin: bool,
    permanent: bool,
    apartment: UUID | None,
    address: str | None,
    since: datetime | None,
) -> None:
    """Make a login and a resident, and give them an apartment.

    What stands already is left as it is, so a run that broke off is completed by running it again.

    \b
    Examples:
      billing-admin resident add anna --name "Anna Muster" --email anna@example.org \\
          --address "Main street 1, flat 3"
      billing-admin resident add anna --name "Anna Muster" --password-stdin --permanent \\
          --apartment 0b6c2f5e-6f0e-4f0e-9f5e-2f4f0f0e6b0c < password.txt
    """
    event = {
        "username": username,
        "name": name,
        "email": email,
        "password": read_password() if password_stdin else None,
        "permanent": permanent,
        "apartment_id": text_of(apartment),
        "address": address,
        "since": instant_of(since),
    }
    data = session.ask("add_resident", event)
    flat = f" Apartment {data['apartment_id']}." if data["apartment_id"] else ""
    session.say(data, f"Made: {', '.join(data['made'])}. Resident {username}.{flat}")


@resident.command()
@click.argument("username")
@click.argument("apartment", type=click.UUID)
@yes_option
@json_option
@click.pass_obj
def end(session: Session, username: str, apartment: UUID, yes: bool) -> None:
    """End a residency: the APARTMENT's id is not found any more for this resident.

    \b
    Example:
      billing-admin resident end anna 0b6c2f5e-6f0e-4f0e-9f5e-2f4f0f0e6b0c
    """
    confirm(f"Take apartment {apartment} from {username}?", yes=yes)
    data = session.ask("end_residency", {"username": username, "apartment_id": str(apartment)})
    session.say(data, f"{username} has apartment {apartment} no more.")


@resident.command()
@click.argument("username")
@yes_option
@json_option
@click.pass_obj
def disable(session: Session, username: str, yes: bool) -> None:
    """Let somebody log in no more, and end their sessions.

    \b
    Example:
      billing-admin resident disable anna --yes
    """
    confirm(f"Disable the login of {username}?", yes=yes)
    data = session.ask("disable_login", {"username": username})
    session.say(data, f"{username} can't log in any more.")


def read_password() -> str:
    """Read a password from stdin: hidden where a person types it, else the first line."""
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise click.UsageError("There is no password on stdin.")
    return password


def text_of(identifier: UUID | None) -> str | None:
    """Write an id that may be missing."""
    return str(identifier) if identifier else None


def instant_of(since: datetime | None) -> str | None:
    """Write an instant that was given in UTC and may be missing."""
    return since.replace(tzinfo=UTC).isoformat() if since else None
