"""`billing history` and `billing receipt`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from billing_client.cli.context import CommandContext, apartment_option, with_context
from billing_client.cli.formatting import count_text, show_receipt, sums_text
from billing_client.cli.grouping import HISTORY_GROUPINGS
from billing_client.cli.history_view import (
    FoundReceipt,
    groups_json,
    receipt_in,
    show_events,
    show_groups,
    sums_of,
    write_csv,
)
from billing_client.errors import SelectionError
from billing_client.history import HistoryState
from billing_client.serialization import (
    Json,
    encode_bill,
    encode_frame,
    encode_receipt,
    encode_total,
)

STDOUT = "-"

offline_option = click.option(
    "--offline", is_flag=True, help="Show what was fetched before, without asking the service."
)


@click.command()
@apartment_option
@click.option("--by", type=click.Choice(sorted(HISTORY_GROUPINGS)), help="Grouping.")
@click.option(
    "--csv",
    "csv_file",
    metavar="[FILE]",
    is_flag=False,
    flag_value=STDOUT,
    help="Write CSV to a file, or to stdout if you give none.",
)
@offline_option
@with_context
def history(
    context: CommandContext,
    apartment: str | None,
    by: str | None,
    csv_file: str | None,
    offline: bool,
) -> None:
    """Show what was paid. The history is stored on this machine; only new events are fetched.

    \b
    Examples:
      billing history
      billing history --by utility
      billing history --csv payments.csv
      billing history --offline --json
    """
    if csv_file and context.terminal.as_json:
        raise click.UsageError("Use either --csv or --json.")
    state = _state(context, context.apartment(apartment), offline=offline)
    if csv_file:
        _write_csv(context, state, csv_file, by)
    elif context.terminal.as_json:
        context.terminal.answer(_as_json(state, by))
    else:
        _show(context, state, by)


def _state(context: CommandContext, apartment_id: str, *, offline: bool) -> HistoryState:
    """Return the history of an apartment, stored on disk after each part that arrives."""
    files = context.resident_files
    stored = files.history(apartment_id)
    if offline and stored is None:
        message = "No history of this apartment has been fetched yet."
        raise SelectionError("history_not_fetched", message)
    state = stored or HistoryState(apartment_id)
    if offline:
        return state
    with context.terminal.waiting("Fetching new payments"):
        for step in context.client.history_steps(state):
            if step != state:
                files.keep_history(step)
            state = step
    return state


def _as_json(state: HistoryState, by: str | None) -> Json:
    groups = {} if by is None else {"groups": groups_json(state.events, by)}
    return {
        "apartment_id": state.apartment_id,
        "covered": encode_frame(state.covered),
        "totals": [encode_total(total) for total in sums_of(state.events)],
        "events": [encode_bill(event) for event in state.events],
        **groups,
    }


def _write_csv(context: CommandContext, state: HistoryState, csv_file: str, by: str | None) -> None:
    if csv_file == STDOUT:
        return write_csv(sys.stdout, state.events, by)
    # Without the byte order mark spreadsheets assume their own old encoding.
    with Path(csv_file).open("w", encoding="utf-8-sig", newline="") as file:
        write_csv(file, state.events, by)
    rows = count_text(len(state.events), "row")
    return context.terminal.say(f"{rows} written to {csv_file}.")


def _show(context: CommandContext, state: HistoryState, by: str | None) -> None:
    if not state.events:
        return context.terminal.say("Nothing has been paid yet.")
    if by:
        show_groups(context.terminal, state.events, by)
    else:
        show_events(context.terminal, state.events)
    return context.terminal.say(f"Total paid: {sums_text(sums_of(state.events))}.", style="bold")


@click.command()
@click.argument("number")
@apartment_option
@offline_option
@with_context
def receipt(context: CommandContext, number: str, apartment: str | None, offline: bool) -> None:
    """Show a receipt from the history of your apartments.

    \b
    Examples:
      billing receipt R-2026-000123
      billing receipt R-2026-000123 --json
    """
    found = _find(context, number, apartment, offline=offline)
    if context.terminal.as_json:
        context.terminal.answer(encode_receipt(found.receipt, reversed_at=found.reversed_at))
    else:
        show_receipt(context.terminal, found.receipt, found.reversed_at)


def _find(
    context: CommandContext, number: str, apartment: str | None, *, offline: bool
) -> FoundReceipt:
    """Search each apartment, first where the receipt was seen before."""
    listed = [item.apartment_id for item in context.session.apartments]
    candidates = [context.apartment(apartment)] if apartment else listed
    files = context.resident_files

    def not_seen(apartment_id: str) -> bool:
        stored = files.history(apartment_id)
        return stored is None or receipt_in(stored.events, number) is None

    for apartment_id in sorted(candidates, key=not_seen):
        if offline and files.history(apartment_id) is None:
            continue
        found = receipt_in(_state(context, apartment_id, offline=offline).events, number)
        if found is not None:
            return found
    raise SelectionError("receipt_not_found", f"You have no receipt {number!r}.")
