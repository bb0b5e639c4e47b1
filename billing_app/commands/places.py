"""`billing-admin apartment` and `provider`: what bills are for and whom they are from."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import click

from billing_app.commands.residents import instant_of, since_option, text_of
from billing_app.commands.session import Session, json_option


@click.group()
def apartment() -> None:
    """Add apartments, give them to residents."""


@apartment.command("add")
@click.argument("address")
@click.option("--id", "apartment_id", type=click.UUID, help="Its id; made, if not given.")
@json_option
@click.pass_obj
def add_apartment(session: Session, address: str, apartment_id: UUID | None) -> None:
    """Add an apartment and print its id.

    \b
    Example:
      billing-admin apartment add "Main street 1, flat 3"
    """
    event = {"address": address, "apartment_id": text_of(apartment_id)}
    data = session.ask("add_apartment", event)
    session.say(data, f"Apartment {data['apartment_id']}: {address}")


@apartment.command()
@click.argument("username")
@click.argument("apartment", type=click.UUID)
@since_option
@json_option
@click.pass_obj
def give(session: Session, username: str, apartment: UUID, since: datetime | None) -> None:
    """Give a resident an apartment.

    \b
    Example:
      billing-admin apartment give anna 0b6c2f5e-6f0e-4f0e-9f5e-2f4f0f0e6b0c --since 2026-01-01
    """
    event = {
        "username": username,
        "apartment_id": str(apartment),
        "since": instant_of(since),
    }
    data = session.ask("grant_residency", event)
    session.say(data, f"{username} has apartment {apartment}.")


@click.group()
def provider() -> None:
    """Add the companies that send bills."""


@provider.command("add")
@click.argument("provider_id")
@click.option("--name", required=True, help="What residents read; receipts keep what it was.")
@json_option
@click.pass_obj
def add_provider(session: Session, provider_id: str, name: str) -> None:
    """Add a provider, or give a known one another name.

    \b
    Example:
      billing-admin provider add city-gas --name "City Gas"
    """
    data = session.ask("add_provider", {"provider_id": provider_id, "name": name})
    session.say(data, f"Provider {provider_id}: {name}")
