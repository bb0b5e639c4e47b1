"""Whose a debt is, and which events a resident sees, from the tables alone (decision 0016)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Row = Mapping[str, Any]

_TICK = timedelta(microseconds=1)


def debtors(bill: Row, residencies: Iterable[Row], *, time_zone: str = "UTC") -> set[str]:
    """Return the ids of the residents who owe a bill.

    They lived there on the last day of its period on which anybody did, or came first after it.
    """
    zone = ZoneInfo(time_zone)
    first, last = date.fromisoformat(bill["period_from"]), date.fromisoformat(bill["period_to"])
    shared: dict[date, set[str]] = {}
    later: dict[datetime, set[str]] = {}
    for one in residencies:
        since, end = datetime.fromisoformat(one["since"]), _end(one)
        if one["apartment_id"] != bill["apartment_id"] or end <= since:
            continue
        came, left = since.astimezone(zone).date(), (end - _TICK).astimezone(zone).date()
        if came > last:
            later.setdefault(since, set()).add(one["resident_id"])
        elif left >= first:
            shared.setdefault(min(left, last), set()).add(one["resident_id"])
    if shared:
        return shared[max(shared)]
    return later[min(later)] if later else set()


def _end(residency: Row) -> datetime:
    return datetime.fromisoformat(residency["ended_at"] or "9000-01-01T00:00:00Z")


def is_shown(
    event: Row, payment: Row, resident: Any, residencies: Iterable[Row], *, for_payer_alone: bool
) -> bool:
    """Whether an event of the history may be shown to a resident.

    It may not where it is for who paid alone, nor while they had left; a reversal is shown to those
    who were there when the payment was made.
    """
    if payment["resident_id"] == resident:
        return True
    if for_payer_alone:
        return False
    theirs = [
        (max(one["since"], one.get("granted_at", one["since"])), one["ended_at"])
        for one in residencies
        if (one["resident_id"], one["apartment_id"]) == (resident, payment["apartment_id"])
        and one["since"] != one["ended_at"]
    ]
    if not any(end and end <= event["posted_at"] for _, end in theirs):
        return True
    instants = (event["posted_at"], payment["settled_at"])
    return any(begin <= at and (not end or at < end) for begin, end in theirs for at in instants)
