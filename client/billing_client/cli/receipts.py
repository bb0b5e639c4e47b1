"""Receipts: as a payment gives them, and as history remembers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from billing_client.answers import HistoryEvent, Receipt, ReceiptLine
from billing_client.cli.rows import Rows
from billing_client.cli.terminal import Terminal, cell
from billing_client.cli.words import amount_texts, instant_text, period_text, short_ids
from billing_client.encoding import Json, encode_receipt
from billing_client.fields import format_instant
from billing_client.money import totals


@dataclass(frozen=True)
class KeptReceipt:
    """A receipt, and when its payment was taken back, if it was."""

    receipt: Receipt
    reversed_at: datetime | None = None


def receipt_in(events: Sequence[HistoryEvent], number: str) -> KeptReceipt | None:
    """Return the receipt with a number from history; None if it is not there."""
    payments = [e for e in events if e.event == "payment" and _is(e, number)]
    if not payments:
        return None
    taken_back = [
        e for e in events if e.event == "reversal" and e.payment_id == payments[0].payment_id
    ]
    reversed_at = max((e.posted_at or e.settled_at for e in taken_back), default=None)
    return KeptReceipt(_receipt(payments), reversed_at)


def _is(event: HistoryEvent, number: str) -> bool:
    return event.receipt_number.casefold() == number.strip().casefold()


def _receipt(payments: Sequence[HistoryEvent]) -> Receipt:
    first = payments[0]
    lines = tuple(
        ReceiptLine(e.bill_id, e.utility, e.provider, e.period, e.amount) for e in payments
    )
    return Receipt(
        payment_id=first.payment_id,
        receipt_number=first.receipt_number,
        settled_at=first.settled_at,
        total=totals(line.amount for line in lines)[0],
        lines=lines,
    )


def receipt_json(kept: KeptReceipt) -> Json:
    reversed_at = None if kept.reversed_at is None else format_instant(kept.reversed_at)
    return {**encode_receipt(kept.receipt), "reversed_at": reversed_at}


def show_receipt(terminal: Terminal, kept: KeptReceipt) -> None:
    """Show the whole receipt with its lines."""
    receipt = kept.receipt
    terminal.say(f"Receipt {receipt.receipt_number}", style="bold")
    terminal.say(f"Paid {instant_text(receipt.settled_at)}, payment {receipt.payment_id}")
    if kept.reversed_at is not None:
        terminal.say(f"Reversed {instant_text(kept.reversed_at)}", style="bold red")
    rows = Rows(("Utility", "Provider", "Period", "Bill", "Amount"))
    ids = short_ids(line.bill_id for line in receipt.lines)
    texts = amount_texts([line.amount for line in receipt.lines] + [receipt.total])
    for line, text in zip(receipt.lines, texts, strict=False):
        period = cell(period_text(line.period))
        bill = cell(ids[line.bill_id], "dim")
        rows.add(cell(line.utility), cell(line.provider.name), period, bill, cell(text))
    rows.add(cell("Total", "bold"), "", "", "", cell(texts[-1], "bold"))
    terminal.show(rows)
