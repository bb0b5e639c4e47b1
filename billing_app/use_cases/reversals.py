"""Taking back what was posted: a payment by a reversal, an open bill by a void, a void itself.

Nothing is deleted: all are entries of their own, with the operator's name and reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billing_app.domain.errors import Rejection
from billing_app.domain.limits import MAX_REASON_CHARS
from billing_app.ports.operator_ledger import (
    OperatorLedger,
    ReinstatedBill,
    Reversal,
    VoidedBill,
)


@dataclass(frozen=True, slots=True)
class AuditNote:
    """Who takes something back, and why; kept in the ledger."""

    operator: str
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip() or len(self.reason) > MAX_REASON_CHARS:
            raise Rejection("reason_required")


def reverse_payment(*, payment_id: UUID, note: AuditNote, ledger: OperatorLedger) -> Reversal:
    """Undo a payment whole: its bills are open again, the history gets a reversal per line.

    Raises:
        Rejection: payment_not_found, payment_already_reversed.
    """
    return ledger.reverse_payment(
        payment_id=payment_id, reason=note.reason.strip(), operator=note.operator
    )


def void_bill(*, bill_id: UUID, note: AuditNote, ledger: OperatorLedger) -> VoidedBill:
    """Withdraw a bill that is open.

    Raises:
        Rejection: bill_not_found, bill_already_paid, bill_void, bill_replaced.
    """
    return ledger.void_bill(bill_id=bill_id, reason=note.reason.strip(), operator=note.operator)


def reinstate_bill(
    *, bill_id: UUID, note: AuditNote, allow_duplicates: bool, ledger: OperatorLedger
) -> ReinstatedBill:
    """Take back the void of a bill: a new revision with the same content is owed.

    Raises:
        Rejection: bill_not_found, bill_not_void, bill_replaced, probable_duplicate when another
            bill that is owed or paid looks like this one.
    """
    return ledger.reinstate_bill(
        bill_id=bill_id,
        reason=note.reason.strip(),
        operator=note.operator,
        allow_duplicates=allow_duplicates,
    )
