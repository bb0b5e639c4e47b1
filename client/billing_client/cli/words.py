"""How values read in a table."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from datetime import datetime

from billing_client.answers import Period
from billing_client.money import Money

SHORT_ID = 8


def period_text(period: Period) -> str:
    """Return YYYY-MM for a whole month, else both days."""
    first, last = period.first, period.last
    month_days = calendar.monthrange(first.year, first.month)[1]
    whole = first.day == 1 and last == first.replace(day=month_days)
    return f"{first:%Y-%m}" if whole else f"{first} to {last}"


def overdue_text(days: int) -> str:
    if days <= 0:
        return ""
    return "1 day" if days == 1 else f"{days} days"


def instant_text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def count_text(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def sums_text(sums: Sequence[Money]) -> str:
    return ", ".join(str(total) for total in sums) or "nothing"


def amount_texts(amounts: Sequence[Money]) -> list[str]:
    """Return amounts that stand under each other when set flush right.

    Currencies with fewer decimals are filled up with spaces, so that the points line up.
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
    """Return for each id the shortest start, of at least eight characters, that tells it apart."""
    known = sorted(set(ids))
    length = SHORT_ID
    while len({key[:length] for key in known}) < len(known):
        length += 1
    return {key: key[:length] for key in known}
