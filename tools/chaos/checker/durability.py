"""I4, I6: what a client was told is paid stays paid, and was never rejected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tools.chaos.checker.history import Answer, Request, Row
from tools.chaos.checker.result import Facts, finding
from tools.chaos.checker.run_record import RunRecord

# Fields of a receipt that the payment's row has, too.
_RECEIPT = ("receipt_number", "settled_at", "total_minor", "currency")


def paid_is_durable(run: RunRecord) -> Facts:
    """I4: each "paid" that a client got is in the ledger, whole: the receipt, and its events."""
    for receipt in run.history.receipts:
        yield finding(
            _receipt_trouble(run, receipt), receipt, str(receipt.first.data["payment_id"])
        )
    for reply in run.history.replies:
        if reply.status == "done" and reply.op == "histories":
            for event in reply.data["settled_debts"]:
                yield finding(_event_trouble(run, event), reply)


def _receipt_trouble(run: RunRecord, receipt: Answer) -> str | None:
    data, lines = receipt.first.data, receipt.rows("lines")
    payment = run.ledger.payments.get(data["payment_id"])
    if payment is None:
        return f"a client got a receipt of payment {data['payment_id']}; the ledger has none"
    for name in _RECEIPT:
        if data[name] != payment[name]:
            return f"receipt says {name} {data[name]}, the ledger says {payment[name]}"
    rows = run.ledger.lines.get(data["payment_id"], [])
    if sorted(map(_shown, lines)) != sorted(map(_booked, rows)):
        return f"the lines of receipt {payment['receipt_number']} differ from the ledger's"
    return _request_trouble(run, receipt.first.request, payment, lines)


def _shown(line: Row) -> tuple[Any, ...]:
    names = ("bill_id", "amount_minor", "utility", "provider_id", "provider")
    return (*(line[name] for name in names), line["period"]["from"], line["period"]["to"])


def _booked(row: Row) -> tuple[Any, ...]:
    names = "bill_id amount_minor utility provider_id provider_name period_from period_to"
    return tuple(row[name] for name in names.split())


def _request_trouble(
    run: RunRecord, request: Request | None, payment: Row, lines: Sequence[Row]
) -> str | None:
    """Say why a receipt doesn't answer the request that it was sent for."""
    if request is None:
        return None
    bills = frozenset(line["bill_id"] for line in lines)
    if request.content[:2] != (payment["apartment_id"], bills):
        return "the receipt is for other bills than the request asked to pay"
    if request.user != run.ledger.subject(payment):
        return "the receipt is of somebody else's payment"
    if (request.user, request.key) != run.ledger.requests.get(payment["payment_id"]):
        return "the receipt is of a payment with another key"
    return None


def _event_trouble(run: RunRecord, event: Row) -> str | None:
    payment_id = event["payment_id"]
    rows = run.ledger.lines.get(payment_id, [])
    row = next((one for one in rows if one["bill_id"] == event["bill_id"]), None)
    is_reversal = event["event"] == "reversal"
    if row is None or (is_reversal and payment_id not in run.ledger.reversed):
        return f"a client saw a {event['event']} of {payment_id} that is not in the ledger"
    if _shown(event) != _booked(row):
        return f"an event of payment {payment_id} differs from the ledger"
    return None


def paid_was_never_rejected(run: RunRecord) -> Facts:
    """I6: a request that was paid was never answered "rejected", under its key, at any time."""
    paid = {owner: payment_id for payment_id, owner in run.ledger.requests.items()}
    for reply in run.history.replies:
        request = reply.request
        if request is None or request.op != "payments" or reply.status != "rejected":
            continue
        payment_id = paid.get((request.user, str(request.key)))
        if payment_id is None or not _asks_for(run, request, payment_id):
            yield None
            continue
        text = f"payment {payment_id} was made, and its request answered {reply.body['code']}"
        yield finding(text, reply, payment_id, str(request.key))


def _asks_for(run: RunRecord, request: Request, payment_id: str) -> bool:
    """Whether a request asks for what was paid; other content under its key may be rejected."""
    payment = run.ledger.payments.get(payment_id)
    if payment is None:
        return False
    bills = frozenset(line["bill_id"] for line in run.ledger.lines.get(payment_id, []))
    if request.content[:2] != (payment["apartment_id"], bills):
        return False
    if request.content[2] not in (None, payment["total_minor"]):
        return False
    # Where requests differ in the expected total alone, it is open which of them was paid.
    alike = {one.content for one in run.history.same_key(request)}
    return len({content for content in alike if content[:2] == request.content[:2]}) == 1
