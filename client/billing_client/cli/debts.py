"""`billing debts`."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.text import Text

from billing_client.cli.context import CommandContext, apartment_option, with_context
from billing_client.cli.formatting import amount_texts, instant_text, show_bills
from billing_client.cli.grouping import BILL_GROUPINGS, Group, group_json, group_text, grouped
from billing_client.cli.terminal import Table, Terminal, cell
from billing_client.models import Debt, Debts, Money, totals
from billing_client.serialization import Json, encode_bill, encode_plain, encode_total


@click.command()
@apartment_option
@click.option(
    "--by",
    type=click.Choice(sorted(BILL_GROUPINGS)),
    default="utility",
    show_default=True,
    help="Grouping of the totals.",
)
@with_context
def debts(context: CommandContext, apartment: str | None, by: str) -> None:
    """Show the open bills of an apartment.

    \b
    Examples:
      billing debts
      billing debts --apartment 2 --by provider
      billing debts --json
    """
    apartment_id = context.apartment(apartment)
    with context.terminal.waiting("Fetching the debts"):
        found = context.client.debts(apartment_id)
    if context.terminal.as_json:
        context.terminal.answer(_as_json(found))
    else:
        _show(context.terminal, found, by)


def _show(terminal: Terminal, found: Debts, by: str) -> None:
    if found.debts:
        show_bills(terminal, found.debts)
        _show_sums(terminal, found, by)
        terminal.say(f"As of {instant_text(found.as_of)}{_day_text(found)}.", style="dim")
    else:
        terminal.say("Nothing is owed.", style="green")
    if found.former_residents_debts:
        terminal.say("Open, and owed by somebody who lived there before you:", style="dim")
        show_bills(terminal, found.former_residents_debts)


def _day_text(found: Debts) -> str:
    """Return the day that counts for what is overdue, which may not be that of UTC."""
    return f" ({found.today} in {found.time_zone})" if found.today else ""


def _as_json(found: Debts) -> Json:
    return {
        **encode_plain(found),
        "totals": [encode_total(total) for total in found.totals],
        "debts": [encode_bill(debt) for debt in found.debts],
        "former_residents_debts": [encode_bill(debt) for debt in found.former_residents_debts],
        **{f"by_{by}": _sums_json(found.debts, by) for by in BILL_GROUPINGS},
    }


def _sums(debts: Sequence[Debt], by: str) -> list[tuple[Group, Money, list[Debt]]]:
    """Return the sum and the bills of each group and currency."""
    return [
        (group, total, [debt for debt in members if debt.amount.currency == total.currency])
        for group, members in grouped(debts, by).items()
        for total in totals(debt.amount for debt in members)
    ]


def _sums_json(debts: Sequence[Debt], by: str) -> list[Json]:
    return [
        {by: group_json(group), "bills": len(members), **encode_total(total)}
        for group, total, members in _sums(debts, by)
    ]


def _show_sums(terminal: Terminal, found: Debts, by: str) -> None:
    """Show the sum of each group, and of everything."""
    table = Table((by.capitalize(), "Bills", "Overdue", "Total"))
    sums = _sums(found.debts, by)
    everything = [
        (total, [debt for debt in found.debts if debt.amount.currency == total.currency])
        for total in found.totals
    ]
    texts = iter(amount_texts([*(total for _, total, _ in sums), *found.totals]))
    for group, _, members in sums:
        count = str(len(members))
        table.add(cell(group_text(group)), count, _overdue(members), cell(next(texts)))
    for _, members in everything:
        count = str(len(members))
        table.add(cell("Total", "bold"), count, _overdue(members), cell(next(texts), "bold"))
    terminal.show(table)


def _overdue(debts: Sequence[Debt]) -> Text:
    """Return the overdue sum of bills in one currency."""
    overdue = totals(debt.amount for debt in debts if debt.days_overdue > 0)
    return cell(str(overdue[0]) if overdue else "", "bold red")
