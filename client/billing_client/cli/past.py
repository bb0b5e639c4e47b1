"""Settled bills: how they are grouped, shown and written as CSV."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TextIO

from billing_client.answers import HistoryEvent
from billing_client.cli.rows import Rows
from billing_client.cli.terminal import Terminal, cell, safe
from billing_client.cli.words import amount_texts, instant_text, period_text, sums_text
from billing_client.encoding import (
    Json,
    encode_event,
    encode_period,
    encode_provider,
    encode_total,
)
from billing_client.fields import format_instant
from billing_client.money import Money, totals


@dataclass(frozen=True)
class Grouping:
    """How events are told apart: a key, a heading for people and one for programs."""

    key: Callable[[HistoryEvent], object]
    text: Callable[[HistoryEvent], str]
    json: Callable[[HistoryEvent], Json | str]


GROUPINGS = {
    "utility": Grouping(lambda e: e.utility, lambda e: e.utility, lambda e: e.utility),
    "provider": Grouping(
        lambda e: e.provider, lambda e: e.provider.name, lambda e: encode_provider(e.provider)
    ),
    "period": Grouping(
        lambda e: e.period, lambda e: period_text(e.period), lambda e: encode_period(e.period)
    ),
    "payment": Grouping(
        lambda e: e.payment_id,
        lambda e: f"Receipt {e.receipt_number}",
        lambda e: {"payment_id": e.payment_id, "receipt_number": e.receipt_number},
    ),
}


@dataclass(frozen=True)
class Group:
    """Events of one group in the order of posting. What was taken back counts against."""

    events: tuple[HistoryEvent, ...]

    @property
    def totals(self) -> tuple[Money, ...]:
        return totals(event.signed for event in self.events)


def grouped(events: Iterable[HistoryEvent], by: str) -> list[Group]:
    """Return groups by what they are called; payments in the order in which they were made."""
    found: dict[object, list[HistoryEvent]] = {}
    for event in events:
        found.setdefault(GROUPINGS[by].key(event), []).append(event)
    groups = [Group(tuple(members)) for members in found.values()]
    if by == "payment":
        return groups
    return sorted(groups, key=lambda group: GROUPINGS[by].text(group.events[0]).casefold())


def groups_json(events: Sequence[HistoryEvent], by: str) -> list[Json]:
    return [
        {
            by: GROUPINGS[by].json(group.events[0]),
            "totals": [encode_total(total) for total in group.totals],
            "events": [encode_event(event) for event in group.events],
        }
        for group in grouped(events, by)
    ]


def show_events(terminal: Terminal, events: Sequence[HistoryEvent]) -> None:
    """Show one line for each event; what was taken back is red and negative."""
    rows = Rows(("When", "Utility", "Provider", "Period", "Receipt", "Amount"))
    texts = amount_texts([event.signed for event in events])
    for event, text in zip(events, texts, strict=True):
        style = "red" if event.event == "reversal" else ""
        mark = " (reversed)" if event.event == "reversal" else ""
        rows.add(
            cell(instant_text(event.posted_at or event.settled_at)),
            cell(event.utility),
            cell(event.provider.name),
            cell(period_text(event.period)),
            cell(event.receipt_number + mark, style),
            cell(text, style),
        )
    terminal.show(rows)


def show_groups(terminal: Terminal, events: Sequence[HistoryEvent], by: str) -> None:
    """Show each group under its name and with its sum."""
    for group in grouped(events, by):
        name = GROUPINGS[by].text(group.events[0])
        terminal.say(f"{name}: {sums_text(group.totals)}", style="bold cyan")
        show_events(terminal, group.events)


COLUMNS = (
    "event", "posted_at", "settled_at", "utility", "provider_id", "provider", "period_from",
    "period_to", "amount", "currency", "amount_minor", "bill_id", "payment_id", "receipt_number",
)  # fmt: skip


def write_csv(file: TextIO, events: Sequence[HistoryEvent], by: str | None) -> None:
    """Write one row for each event, in the order of the groups where there are any."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    ordered = [event for group in grouped(events, by) for event in group.events] if by else events
    writer.writerows(_csv_row(event) for event in ordered)


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
    """Return text that no spreadsheet takes for a formula.

    An apostrophe in front makes it text. Amounts don't pass here: a minus is theirs.
    """
    shown = safe(text)
    # Some spreadsheets take the wide forms of these signs as well.
    start = unicodedata.normalize("NFKC", shown).lstrip()[:1]
    return f"'{shown}" if start and start in "=+-@" else shown
