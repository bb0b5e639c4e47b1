"""Paid bills and their receipts: shown, grouped, and written as CSV."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from billing_client.cli.formatting import amount_texts, instant_text, period_text, sums_text
from billing_client.cli.grouping import group_json, group_text, grouped
from billing_client.cli.terminal import Table, Terminal, cell, safe
from billing_client.models import Bill, HistoryEvent, Money, Receipt, totals
from billing_client.serialization import Json, encode_bill, encode_total, format_instant


def sums_of(events: Sequence[HistoryEvent]) -> tuple[Money, ...]:
    """Return the sum paid in each currency; reversals are subtracted."""
    return totals(event.signed for event in events)


def groups_json(events: Sequence[HistoryEvent], by: str) -> list[Json]:
    """Return the groups for programs."""
    return [
        {
            by: group_json(group),
            "totals": [encode_total(total) for total in sums_of(members)],
            "events": [encode_bill(event) for event in members],
        }
        for group, members in grouped(events, by).items()
    ]


def show_events(terminal: Terminal, events: Sequence[HistoryEvent]) -> None:
    """Show one line for each event; reversals are red and negative."""
    table = Table(("When", "Utility", "Provider", "Period", "Receipt", "Amount"))
    texts = amount_texts([event.signed for event in events])
    for event, text in zip(events, texts, strict=True):
        style = "red" if event.event == "reversal" else ""
        mark = " (reversed)" if event.event == "reversal" else ""
        table.add(
            cell(instant_text(event.posted)),
            cell(event.utility),
            cell(event.provider.name),
            cell(period_text(event.period)),
            cell(event.receipt_number + mark, style),
            cell(text, style),
        )
    terminal.show(table)


def show_groups(terminal: Terminal, events: Sequence[HistoryEvent], by: str) -> None:
    """Show each group under its name and with its sum."""
    for group, members in grouped(events, by).items():
        terminal.say(f"{group_text(group)}: {sums_text(sums_of(members))}", style="bold cyan")
        show_events(terminal, members)


@dataclass(frozen=True)
class FoundReceipt:
    """A receipt, and when its payment was reversed, if it was."""

    receipt: Receipt
    reversed_at: datetime | None


def receipt_in(events: Sequence[HistoryEvent], number: str) -> FoundReceipt | None:
    """Return the receipt with a number, None if the history doesn't have it."""
    wanted = number.strip().casefold()
    payments = [e for e in events if e.event == "payment" and e.receipt_number.casefold() == wanted]
    if not payments:
        return None
    first = payments[0]
    reversals = [e for e in events if e.event == "reversal" and e.payment_id == first.payment_id]
    receipt = Receipt(
        payment_id=first.payment_id,
        receipt_number=first.receipt_number,
        settled_at=first.settled_at,
        total=totals(event.amount for event in payments)[0],
        lines=tuple(Bill(e.bill_id, e.utility, e.provider, e.period, e.amount) for e in payments),
    )
    return FoundReceipt(receipt, max((event.posted for event in reversals), default=None))


COLUMNS = (
    "event", "posted_at", "settled_at", "utility", "provider_id", "provider", "period_from",
    "period_to", "amount", "currency", "amount_minor", "bill_id", "payment_id", "receipt_number",
)  # fmt: skip


def write_csv(file: TextIO, events: Sequence[HistoryEvent], by: str | None) -> None:
    """Write one row for each event, in the order of the groups if there are any."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    groups = grouped(events, by).values() if by else [events]
    writer.writerows(_csv_row(event) for members in groups for event in members)


def _csv_row(event: HistoryEvent) -> list[str]:
    signed = event.signed
    return [
        plain_cell(event.event),
        format_instant(event.posted_at) if event.posted_at else "",
        format_instant(event.settled_at),
        plain_cell(event.utility),
        plain_cell(event.provider.provider_id),
        plain_cell(event.provider.name),
        event.period.first.isoformat(),
        event.period.last.isoformat(),
        "" if signed.decimal is None else f"{signed.decimal:f}",
        plain_cell(signed.currency),
        str(signed.minor),
        plain_cell(event.bill_id),
        plain_cell(event.payment_id),
        plain_cell(event.receipt_number),
    ]


def plain_cell(text: str) -> str:
    """Return text that no spreadsheet reads as a formula.

    A leading apostrophe makes it text. Amounts don't pass here: they may have a minus sign.
    """
    shown = safe(text)
    # Some spreadsheets accept the full-width forms of these signs as well.
    start = unicodedata.normalize("NFKC", shown).lstrip()[:1]
    return f"'{shown}" if start and start in "=+-@" else shown
