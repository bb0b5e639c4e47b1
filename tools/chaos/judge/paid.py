"""I4, I6: what was said to be paid is, and was never said not to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.chaos.judge.case import Case
from tools.chaos.judge.history import Receipt, Reply, Request
from tools.chaos.judge.verdict import Facts, Finding

Row = Mapping[str, Any]

# Of a receipt, as the books have them.
_RECEIPT = ("receipt_number", "settled_at", "total_minor", "currency")


def paid_is_durable(case: Case) -> Facts:
    """I4: each "paid" that a client got is in the books, whole: the receipt, and its events."""
    for receipt in case.history.receipts:
        trouble = _receipt_trouble(case, receipt)
        about = frozenset({str(receipt.data["payment_id"])})
        told = receipt.first.request_id, receipt.events, about
        yield None if trouble is None else Finding(trouble, *told)
    for reply in case.history.replies:
        if reply.status == "done" and reply.body["operation"] == "histories":
            for event in reply.data["settled_debts"]:
                yield _judged(reply, _event_trouble(case, event))


def _judged(reply: Reply, trouble: str | None) -> Finding | None:
    if trouble is None:
        return None
    asked = () if reply.request is None else (reply.request.event,)
    return Finding(trouble, reply.request_id, (*asked, reply.event))


def _receipt_trouble(case: Case, receipt: Receipt) -> str | None:
    payment_id = receipt.data["payment_id"]
    payment = case.books.payments.get(payment_id)
    if payment is None:
        return f"a client was told that payment {payment_id} was made; the books don't have it"
    for name in _RECEIPT:
        if receipt.data[name] != payment[name]:
            return f"receipt says {name} {receipt.data[name]}, the books say {payment[name]}"
    if sorted(map(_line, receipt.data["lines"])) != sorted(map(_row, _rows(case, payment_id))):
        return f"the lines of receipt {payment['receipt_number']} differ from the books'"
    return _wish_trouble(case, receipt, payment)


def _rows(case: Case, payment_id: str) -> list[Row]:
    return case.books.lines.get(payment_id, [])


def _line(line: Row) -> tuple[Any, ...]:
    period = line["period"]
    return (
        line["bill_id"],
        line["amount_minor"],
        line["utility"],
        line["provider_id"],
        line["provider"],
        period["from"],
        period["to"],
    )


def _row(row: Row) -> tuple[Any, ...]:
    names = "bill_id amount_minor utility provider_id provider_name period_from period_to"
    return tuple(row[name] for name in names.split())


def _wish_trouble(case: Case, receipt: Receipt, payment: Row) -> str | None:
    """Say what a receipt has to do with something that was not asked for."""
    asked = receipt.first.request
    if asked is None:
        return None
    bills = frozenset(line["bill_id"] for line in receipt.data["lines"])
    if (asked.apartment, asked.wish[1]) != (payment["apartment_id"], bills):
        return "the receipt is for other bills than were asked to be paid"
    if asked.user != case.books.payer(payment):
        return "the receipt is of somebody else's payment"
    if (asked.user, asked.key) != case.books.request_of(payment["payment_id"]):
        return "the receipt is of a payment with another key"
    return None


def _event_trouble(case: Case, event: Row) -> str | None:
    rows = _rows(case, event["payment_id"])
    row = next((one for one in rows if one["bill_id"] == event["bill_id"]), None)
    if row is None:
        return f"a client saw a {event['event']} of {event['payment_id']} that is not in the books"
    if _line(event) != _row(row):
        return f"an event of payment {event['payment_id']} was shown otherwise than it is booked"
    if event["event"] == "reversal" and event["payment_id"] not in case.books.reversals:
        return f"a client saw a reversal of {event['payment_id']} that is not in the books"
    return None


def paid_was_never_rejected(case: Case) -> Facts:
    """I6: a wish that was paid was never answered "rejected", under its key, at any time."""
    paid = _paid_wishes(case)
    for reply in case.history.replies:
        if reply.request is None or reply.request.op != "payments" or reply.status != "rejected":
            continue
        payment_id = paid.get((reply.request.user, reply.request.key))
        if payment_id is None or not _is_what_was_paid(case, reply.request, payment_id):
            yield None
            continue
        yield Finding(
            f"payment {payment_id} was made, and its request answered {reply.body['code']}",
            reply.request_id,
            (reply.request.event, reply.event),
            frozenset({payment_id, str(reply.request.key)}),
        )


def _paid_wishes(case: Case) -> dict[tuple[str, str | None], str]:
    owners = {payment_id: case.books.request_of(payment_id) for payment_id in case.books.payments}
    return {owner: payment_id for payment_id, owner in owners.items() if owner is not None}


def _is_what_was_paid(case: Case, request: Request, payment_id: str) -> bool:
    """Tell whether a request asks for what was paid: another wish under its key may be rejected."""
    bills = frozenset(line["bill_id"] for line in _rows(case, payment_id))
    payment = case.books.payments[payment_id]
    if (request.apartment, request.wish[1]) != (payment["apartment_id"], bills):
        return False
    return request.wish[2] in (None, payment["total_minor"]) and _expects_alike(case, request)


def _expects_alike(case: Case, request: Request) -> bool:
    """Tell whether no other request under this key differs in its expected total alone."""
    wishes = {one.wish for one in case.history.attempts.get((request.user, str(request.key)), [])}
    return len({wish for wish in wishes if wish[:2] == request.wish[:2]}) == 1
