"""How values, bills and receipts are shown to people."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from datetime import datetime

from billing_client.cli.terminal import Table, Terminal, cell
from billing_client.models import Debt, Money, Period, Receipt

SHORT_ID = 8


def period_text(period: Period) -> str:
    """Return YYYY-MM for a whole month, else both days."""
    first, last = period.first, period.last
    month_days = calendar.monthrange(first.year, first.month)[1]
    whole = first.day == 1 and last == first.replace(day=month_days)
    return f"{first:%Y-%m}" if whole else f"{first} to {last}"


def overdue_text(days: int) -> str:
    """Return the days overdue, nothing if there are none."""
    return count_text(days, "day") if days > 0 else ""


def instant_text(instant: datetime) -> str:
    """Return an instant to the minute."""
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def count_text(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def sums_text(sums: Sequence[Money]) -> str:
    """Return the sums of several currencies."""
    return ", ".join(str(total) for total in sums) or "nothing"


def amount_texts(amounts: Sequence[Money]) -> list[str]:
    """Return amounts whose decimal points line up when they are aligned right.

    Currencies with fewer decimals are padded with spaces.
    """
    tails = [_tail(amount) for amount in amounts]
    widest = max(map(len, tails), default=0)
    return [
        f"{amount.amount_text}{' ' * (widest - len(tail))} {amount.currency}"
        for amount, tail in zip(amounts, tails, strict=True)
    ]


def _tail(amount: Money) -> str:
    _, point, decimals = amount.amount_text.partition(".")
    return point + decimals


def short_ids(ids: Iterable[str]) -> dict[str, str]:
    """Return the shortest unambiguous start of each id, at least eight characters."""
    known = sorted(set(ids))
    length = SHORT_ID
    while len({key[:length] for key in known}) < len(known):
        length += 1
    return {key: key[:length] for key in known}


def show_bills(terminal: Terminal, debts: Sequence[Debt]) -> None:
    """Show one line for each open bill, what is overdue in red."""
    table = Table(("Utility", "Provider", "Period", "Due", "Overdue", "Amount", "Bill"))
    ids = short_ids(debt.bill_id for debt in debts)
    amounts = amount_texts([debt.amount for debt in debts])
    for debt, amount in zip(debts, amounts, strict=True):
        late = "bold red" if debt.days_overdue > 0 else ""
        table.add(
            cell(debt.utility),
            cell(debt.provider.name),
            cell(period_text(debt.period)),
            cell(debt.due_on.isoformat(), late),
            cell(overdue_text(debt.days_overdue), late),
            cell(amount),
            cell(ids[debt.bill_id], "dim"),
        )
    terminal.show(table)


def show_receipt(terminal: Terminal, receipt: Receipt, reversed_at: datetime | None = None) -> None:
    """Show the whole receipt with its lines."""
    terminal.say(f"Receipt {receipt.receipt_number}", style="bold")
    terminal.say(f"Paid {instant_text(receipt.settled_at)}, payment {receipt.payment_id}")
    if reversed_at is not None:
        terminal.say(f"Reversed {instant_text(reversed_at)}", style="bold red")
    table = Table(("Utility", "Provider", "Period", "Bill", "Amount"))
    ids = short_ids(line.bill_id for line in receipt.lines)
    texts = amount_texts([*(line.amount for line in receipt.lines), receipt.total])
    for line, text in zip(receipt.lines, texts, strict=False):
        period, bill = cell(period_text(line.period)), cell(ids[line.bill_id], "dim")
        table.add(cell(line.utility), cell(line.provider.name), period, bill, cell(text))
    table.add(cell("Total", "bold"), "", "", "", cell(texts[-1], "bold"))
    terminal.show(table)
