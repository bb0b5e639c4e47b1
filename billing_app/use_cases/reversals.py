"""Taking back what was posted: a payment by a reversal, an open bill by a void.

Nothing is deleted: both are entries of their own, with the operator's name and reason.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from billing_app.domain.errors import Rejection
from billing_app.domain.limits import MAX_REASON_CHARS
from billing_app.ports.operator_ledger import OperatorLedger


@dataclass(frozen=True, slots=True)
class Grounds:
    """Who takes something back, and why."""

    operator: str
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip() or len(self.reason) > MAX_REASON_CHARS:
            raise Rejection("reason_required")


def reverse_payment(
    *, payment_id: UUID, grounds: Grounds, ledger: OperatorLedger
) -> dict[str, Any]:
    """Undo a payment whole: its bills are open again, the history gets a reversal per line.

    Returns reversal_id, payment_id, receipt_number, reversed_at, total_minor (minor units),
    currency and bills. Raises Rejection: payment_not_found, payment_already_reversed.
    """
    return ledger.reverse_payment(
        payment_id=payment_id, reason=grounds.reason.strip(), operator=grounds.operator
    )


def void_bill(*, bill_id: UUID, grounds: Grounds, ledger: OperatorLedger) -> dict[str, Any]:
    """Withdraw a bill that is open.

    Raises Rejection: bill_not_found, bill_already_paid, bill_void.
    """
    return ledger.void_bill(
        bill_id=bill_id, reason=grounds.reason.strip(), operator=grounds.operator
    )
