"""Taking back what was posted: a payment by a reversal, an open bill by a void.

Nothing is deleted: both are entries of their own, with the operator's name and reason.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from billing_app.domain.office_errors import OfficeRefusal
from billing_app.ports.office import Office

MAX_REASON_CHARS = 500


@dataclass(frozen=True, slots=True)
class Grounds:
    """Who takes something back, and why."""

    operator: str
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip() or len(self.reason) > MAX_REASON_CHARS:
            raise OfficeRefusal("reason_required")


def reverse_payment(*, payment_id: UUID, grounds: Grounds, office: Office) -> dict[str, Any]:
    """Undo a payment whole: its bills are open again, the history gets a reversal per line.

    Returns reversal_id, payment_id, receipt_number, reversed_at, total_minor (minor units),
    currency and bills. Raises OfficeRefusal: payment_not_found, payment_already_reversed.
    """
    return office.reverse_payment(
        payment_id=payment_id, reason=grounds.reason.strip(), operator=grounds.operator
    )


def void_bill(*, bill_id: UUID, grounds: Grounds, office: Office) -> dict[str, Any]:
    """Withdraw a bill that is open.

    Raises OfficeRefusal: bill_not_found, bill_already_paid, bill_void.
    """
    return office.void_bill(
        bill_id=bill_id, reason=grounds.reason.strip(), operator=grounds.operator
    )
