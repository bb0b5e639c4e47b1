"""``billing history`` and ``billing receipt``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from billing_client.cli.desk import Desk, apartment_option, with_desk
from billing_client.cli.past import GROUPINGS, groups_json, show_events, show_groups, write_csv
from billing_client.cli.receipts import KeptReceipt, receipt_in, receipt_json, show_receipt
from billing_client.cli.words import count_text, sums_text
from billing_client.encoding import Json, encode_event, encode_frame, encode_total
from billing_client.errors import RequestRejected
from billing_client.history import HistoryState
from billing_client.money import totals

STDOUT = "-"

offline_option = click.option(
    "--offline", is_flag=True, help="Show what was fetched before; ask nobody."
)


@click.command()
@apartment_option
@click.option("--by", type=click.Choice(sorted(GROUPINGS)), help="Group what is shown.")
@click.option(
    "--csv",
    "csv_file",
    metavar="[FILE]",
    is_flag=False,
    flag_value=STDOUT,
    help="Write CSV to a file, or to stdout without one.",
)
@offline_option
@with_desk
def history(
    desk: Desk, apartment: str | None, by: str | None, csv_file: str | None, offline: bool
) -> None:
    """Show what was paid. The history is kept on this machine, and only what is new is fetched.

    \b
    Examples:
      billing history
      billing history --by utility
      billing history --csv payments.csv
      billing history --offline --json
    """
    if csv_file and desk.terminal.as_json:
        raise click.UsageError("Choose --csv or --json.")
    state = _state(desk, desk.apartment(apartment), offline=offline)
    if csv_file:
        return _write_csv(desk, state, csv_file, by)
    if desk.terminal.as_json:
        return desk.terminal.answer(_as_json(state, by))
    return _show(desk, state, by)


def _state(desk: Desk, apartment_id: str, *, offline: bool) -> HistoryState:
    """Return the history of an apartment, kept on disk after each part that came."""
    files = desk.resident_files
    kept = files.history(apartment_id)
    if offline and kept is None:
        raise RequestRejected(
            "no_history_kept", "No history of this apartment has been fetched yet."
        )
    state = kept or HistoryState(apartment_id)
    if offline:
        return state
    with desk.terminal.waiting("Fetching what is new"):
        for step in desk.client.history_steps(state):
            if step != state:
                files.keep_history(step)
            state = step
    return state


def _as_json(state: HistoryState, by: str | None) -> Json:
    groups = {} if by is None else {"groups": groups_json(state.events, by)}
    return {
        "apartment_id": state.apartment_id,
        "covered": None if state.covered is None else encode_frame(state.covered),
        "totals": [encode_total(t) for t in totals(event.signed for event in state.events)],
        "events": [encode_event(event) for event in state.events],
        **groups,
    }


def _write_csv(desk: Desk, state: HistoryState, csv_file: str, by: str | None) -> None:
    if csv_file == STDOUT:
        return write_csv(sys.stdout, state.events, by)
    with Path(csv_file).open("w", encoding="utf-8", newline="") as file:
        write_csv(file, state.events, by)
    rows = count_text(len(state.events), "row")
    return desk.terminal.say(f"{rows} written to {csv_file}.")


def _show(desk: Desk, state: HistoryState, by: str | None) -> None:
    if not state.events:
        return desk.terminal.say("Nothing has been paid yet.")
    if by:
        show_groups(desk.terminal, state.events, by)
    else:
        show_events(desk.terminal, state.events)
    total = sums_text(totals(event.signed for event in state.events))
    return desk.terminal.say(f"Paid in all: {total}.", style="bold")


@click.command()
@click.argument("number")
@apartment_option
@offline_option
@with_desk
def receipt(desk: Desk, number: str, apartment: str | None, offline: bool) -> None:
    """Show a whole receipt, from the history of your apartments.

    \b
    Examples:
      billing receipt R-2026-000123
      billing receipt R-2026-000123 --json
    """
    kept = _find(desk, number, apartment, offline=offline)
    if desk.terminal.as_json:
        return desk.terminal.answer(receipt_json(kept))
    return show_receipt(desk.terminal, kept)


def _find(desk: Desk, number: str, apartment: str | None, *, offline: bool) -> KeptReceipt:
    """Look in each apartment, first where the receipt was seen before."""
    listed = [item.apartment_id for item in desk.session.apartments]
    candidates = [desk.apartment(apartment)] if apartment else listed
    files = desk.resident_files

    def not_seen(apartment_id: str) -> bool:
        known = files.history(apartment_id)
        return known is None or receipt_in(known.events, number) is None

    for apartment_id in sorted(candidates, key=not_seen):
        if offline and files.history(apartment_id) is None:
            continue
        kept = receipt_in(_state(desk, apartment_id, offline=offline).events, number)
        if kept is not None:
            return kept
    raise RequestRejected("receipt_not_found", f"There is no receipt {number!r} of yours.")
