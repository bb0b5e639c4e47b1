"""Taking back what was posted: a payment by a reversal, an open bill by a void.

Nothing is deleted: both are entries of their own, with the operator's name and reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billing_app.domain.errors import Rejection
from billing_app.domain.limits import MAX_REASON_CHARS
from billing_app.ports.operator_ledger import OperatorLedger, Reversal, VoidedBill


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
        Rejection: bill_not_found, bill_already_paid, bill_void.
    """
    return ledger.void_bill(bill_id=bill_id, reason=note.reason.strip(), operator=note.operator)
