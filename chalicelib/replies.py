"""Replies: what use cases return, as the JSON of the contract, in parts that each fit a message.

Items and parts are text once they are JSON, and are written as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from billing_app.adapters.ledger_json import write_bill, write_debt, write_period, write_provider
from billing_app.domain.bills import Bill, Debt, Receipt, Total, days_overdue
from billing_app.domain.errors import CATALOGUE, Rejection
from billing_app.domain.history import SettledDebt
from billing_app.domain.instants import format_instant
from billing_app.use_cases.debts import Debts
from billing_app.use_cases.history import HistoryUpdate
from billing_app.use_cases.login import Session
from chalicelib.cursors import write_cursor, write_frame

# Bytes of JSON in a part. SQS messages held 256 KiB for most of its life, and some regions and
# emulators still do; the rest is left to the reply's envelope and its attributes.
PART_MAX_BYTES = 190_000
# Bytes of a breakdown of debts, about 130 groups; what is longer is left out.
BREAKDOWN_MAX_BYTES = 15_000
# What is left for items even when the rest of a part is unusually large.
ITEMS_MIN_BYTES = 20_000

_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), allow_nan=False)
# What a part of the history holds beside its events.
_HISTORY_HEAD_BYTES = 1_000

Json = dict[str, Any]
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: done with its data in parts, or a code of the catalogue.

    Each part is JSON.
    """

    status: str
    code: str | None
    message: str
    parts: Sequence[str]


def rejected(rejection: Rejection) -> Outcome:
    """Return the outcome of a request that can't be done."""
    data = to_json(rejection.data)
    return Outcome(rejection.status, rejection.code, rejection.message, [data])


def failed(code: str) -> Outcome:
    """Return the outcome of a request that we failed to do."""
    return Outcome("failed", code, CATALOGUE[code].message, ["null"])


def messages(outcome: Outcome, *, request_id: str, operation: str) -> list[str]:
    """Write the outcome as reply messages, one a part."""
    head = {
        "request_id": request_id,
        "operation": operation,
        "status": outcome.status,
        "code": outcome.code,
        "message": outcome.message,
        "parts": len(outcome.parts),
    }
    return [
        f'{to_json({**head, "part": number})[:-1]},"data":{data}}}'
        for number, data in enumerate(outcome.parts, start=1)
    ]


def to_json(value: Any) -> str:
    """Write compact ASCII JSON: what SQS takes whatever script a name is written in."""
    return _ENCODER.encode(value)


def paged(head: Mapping[str, Any], name: str, items: Iterable[Any]) -> list[str]:
    """Write parts that each have some of the items, as a list called `name`, and the whole head."""
    budget = max(ITEMS_MIN_BYTES, PART_MAX_BYTES - len(to_json(head)))
    return [part(head, name, page) for page in pages(map(to_json, items), max_bytes=budget)]


def pages(items: Iterable[str], *, max_bytes: int) -> list[list[str]]:
    """Divide items into pages of at most `max_bytes`, in order; at least one page.

    An item that is larger than a page makes a page of its own.
    """
    divided: list[list[str]] = [[]]
    used = 0
    for item in items:
        size = len(item) + 1
        if divided[-1] and used + size > max_bytes:
            divided.append([])
            used = 0
        divided[-1].append(item)
        used += size
    return divided


def part(head: Mapping[str, Any], name: str, items: Sequence[str]) -> str:
    """Write a part: the fields of the head, which has some, and the list of items."""
    return f'{to_json(head)[:-1]},"{name}":[{",".join(items)}]}}'


def session_parts(session: Session) -> list[str]:
    """Write who logged in; each part has some of the apartments."""
    tokens, account = session.tokens, session.account
    head = {
        "resident": {"name": account.name},
        "tokens": {
            "id_token": tokens.id_token,
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "expires_in_seconds": tokens.expires_in_seconds,
        },
    }
    apartments = (
        {
            "apartment_id": str(apartment.apartment_id),
            "address": apartment.address,
            "former": apartment.former,
        }
        for apartment in account.apartments
    )
    return paged(head, "apartments", apartments)


def debts_parts(found: Debts) -> list[str]:
    """Write debts; each part repeats the totals of all that the resident owes.

    What a former resident owes comes in parts of its own, where there is any.
    """
    head = {
        "apartment_id": str(found.apartment_id),
        "version": found.version,
        "as_of": format_instant(found.as_of),
        "today": found.today.day.isoformat(),
        "time_zone": found.today.time_zone,
        **_grand_total(found.by_currency),
        "by_utility": _breakdown("utility", str, found.by_utility),
        "by_provider": _breakdown("provider", write_provider, found.by_provider),
        "by_period": _breakdown("period", write_period, found.by_period),
        "by_currency": [_total(one) for one in found.by_currency],
    }
    day = found.today.day
    theirs = (_debt(debt, today=day) for debt in found.debts)
    others = [_debt(debt, today=day) for debt in found.former_residents_debts]
    return [
        *paged({**head, "former_residents_debts": []}, "debts", theirs),
        *(paged({**head, "debts": []}, "former_residents_debts", others) if others else []),
    ]


def receipt_parts(receipt: Receipt) -> list[str]:
    """Write a receipt; each part has some of the bills, and the same parts have them each time."""
    head = {
        "payment_id": str(receipt.payment_id),
        "receipt_number": receipt.receipt_number,
        "status": "settled",
        "settled_at": format_instant(receipt.settled_at),
        "total_minor": receipt.total_minor,
        "currency": receipt.currency,
    }
    return paged(head, "lines", map(_line, receipt.bills))


def history_parts(update: HistoryUpdate) -> list[str]:
    """Write what a client lacks of the history.

    Each part says what the client holds once it has it (`covered`, and the same as `cursor`) and
    whether there is `more` beyond it, in the next part or for the next request.
    """
    divided = pages(
        (to_json(_settled_debt(step.event)) for step in update.steps),
        max_bytes=PART_MAX_BYTES - _HISTORY_HEAD_BYTES,
    )
    parts, taken = [], 0
    for page in divided:
        taken += len(page)
        last = taken == len(update.steps)
        held = update.end if last else update.steps[taken - 1].covered
        head = {
            "apartment_id": str(update.apartment_id),
            "version": update.version,
            "covered": write_frame(held),
            "cursor": write_cursor(held, apartment_id=update.apartment_id),
            "more": update.more if last else True,
        }
        parts.append(part(head, "settled_debts", page))
    return parts


def _debt(debt: Debt, *, today: date) -> Json:
    overdue = days_overdue(due_on=debt.due_on, today=today)
    return {**write_debt(debt), "days_overdue": overdue}


def _settled_debt(event: SettledDebt) -> Json:
    return {
        "event": event.kind,
        **_line(event.bill),
        "posted_at": format_instant(event.posted_at),
        "settled_at": format_instant(event.settled_at),
        "payment_id": str(event.payment_id),
        "receipt_number": event.receipt_number,
    }


def _line(bill: Bill) -> Json:
    """Write a paid bill; the contract has its provider's name and id side by side."""
    provider = {"provider": bill.provider.name, "provider_id": bill.provider.provider_id}
    return {**write_bill(bill), **provider}


def _grand_total(by_currency: Sequence[Total[None]]) -> Json:
    """Sum everything where there is one currency; there is no sum across currencies."""
    if len(by_currency) > 1:
        return {"currency": None, "total_minor": None}
    only = next(iter(by_currency), None)
    return {
        "currency": only.currency if only else None,
        "total_minor": only.total_minor if only else 0,
    }


def _breakdown(
    name: str, write: Callable[[Key], Any], totals: Sequence[Total[Key]]
) -> list[Json] | None:
    """Write totals by group, unless they are so long that they would crowd out the bills."""
    rows = [{name: write(one.key), **_total(one)} for one in totals]
    return rows if len(to_json(rows)) <= BREAKDOWN_MAX_BYTES else None


def _total(total: Total[Any]) -> Json:
    return {"bills": total.bills, "total_minor": total.total_minor, "currency": total.currency}
