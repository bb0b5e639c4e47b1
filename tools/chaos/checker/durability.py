"""I4, I6: what a client was told is paid stays paid, and was never rejected."""

from __future__ import annotations

from tools.chaos.checker import rebuilt
from tools.chaos.checker.history import Answer
from tools.chaos.checker.result import Facts, differences, finding
from tools.chaos.checker.run_record import RunRecord


def paid_is_durable(run: RunRecord) -> Facts:
    """I4: each "paid" that a client got is in the ledger, whole, and of what it asked for."""
    for receipt in run.history.receipts:
        yield finding(
            _receipt_trouble(run, receipt), receipt, str(receipt.first.data["payment_id"])
        )


def _receipt_trouble(run: RunRecord, receipt: Answer) -> str | None:
    payment_id, request = receipt.first.data["payment_id"], receipt.first.request
    payment = run.ledger.payments.get(payment_id)
    if payment is None:
        return f"a client got a receipt of payment {payment_id}; the ledger has none"
    if other := differences(receipt.shown("lines"), rebuilt.receipt(run.ledger, payment)):
        return f"receipt {payment['receipt_number']} differs from the ledger: {other}"
    if request is None:
        return None
    if (request.user, request.key) != run.ledger.requests.get(payment_id):
        return "the receipt is of a payment of somebody else, or with another key"
    paid = frozenset(line["bill_id"] for line in receipt.rows("lines"))
    is_asked = request.asks_for(payment, paid)
    return None if is_asked else "the receipt is of another payment than the request asked for"


def paid_was_never_rejected(run: RunRecord) -> Facts:
    """I6: under the key of a payment nothing was rejected but the use of the key for others."""
    paid = {owner: payment_id for payment_id, owner in run.ledger.requests.items()}
    for reply in run.history.replies:
        request = reply.request
        if request is None or request.op != "payments" or reply.status != "rejected":
            continue
        payment_id, code = paid.get((request.user, str(request.key))), reply.body["code"]
        is_broken = payment_id is not None and code != "idempotency_key_reused"
        text = f"payment {payment_id} was made, and its request answered {code}"
        yield finding(text if is_broken else None, reply, str(payment_id), str(request.key))
