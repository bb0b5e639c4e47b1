"""`billing-admin migrate`: bringing the database up to what this version of the code needs."""

import click

from billing_app.commands.session import Session, json_option


@click.command()
@json_option
@click.pass_obj
def migrate(session: Session) -> None:
    """Apply the migrations that the database lacks; without any, nothing is changed.

    \b
    Example:
      billing-admin --local migrate
    """
    data = session.ask("migrate", {})
    names = ", ".join(data["applied"])
    session.say(data, f"Applied: {names}." if names else "The database was up to date.")
