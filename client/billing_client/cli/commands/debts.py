"""``billing debts``."""

from __future__ import annotations

import click

from billing_client.answers import Debts
from billing_client.cli.bills import GROUPINGS, show_bills, show_sums, sums_json
from billing_client.cli.desk import Desk, apartment_option, with_desk
from billing_client.cli.words import instant_text
from billing_client.encoding import Json, encode_debt, encode_total
from billing_client.fields import format_instant


@click.command()
@apartment_option
@click.option(
    "--by",
    type=click.Choice(sorted(GROUPINGS)),
    default="utility",
    show_default=True,
    help="How to sum up.",
)
@with_desk
def debts(desk: Desk, apartment: str | None, by: str) -> None:
    """Show what an apartment owes.

    \b
    Examples:
      billing debts
      billing debts --apartment 2 --by provider
      billing debts --json
    """
    apartment_id = desk.apartment(apartment)
    with desk.terminal.waiting("Fetching the debts"):
        found = desk.client.debts(apartment_id)
    if desk.terminal.as_json:
        return desk.terminal.answer(as_json(found))
    return _show(desk, found, by)


def _show(desk: Desk, found: Debts, by: str) -> None:
    if not found.debts:
        return desk.terminal.say("Nothing is owed.", style="green")
    show_bills(desk.terminal, found.debts)
    show_sums(desk.terminal, found, by)
    return desk.terminal.say(f"As of {instant_text(found.as_of)}.", style="dim")


def as_json(found: Debts) -> Json:
    return {
        "apartment_id": found.apartment_id,
        "version": found.version,
        "as_of": format_instant(found.as_of),
        "totals": [encode_total(total) for total in found.totals],
        "debts": [encode_debt(debt) for debt in found.debts],
        **{f"by_{grouping}": sums_json(found.debts, grouping) for grouping in GROUPINGS},
    }
