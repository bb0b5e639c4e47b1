"""Checking that payments, their lines and the bills settled by them agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from billing_app.domain.errors import Rejection
from billing_app.ports.operator_ledger import DayOfProvider, OperatorLedger, Violation


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The sums of some days, both ends included, and the broken rules of the ledger."""

    first_day: date
    last_day: date
    rows: Sequence[DayOfProvider]
    violations: Sequence[Violation]

    @property
    def differing(self) -> list[DayOfProvider]:
        """The rows whose sums differ."""
        return [row for row in self.rows if not row.agrees]

    @property
    def agrees(self) -> bool:
        """Whether no row differs and no rule is broken."""
        return not self.differing and not self.violations


def reconcile(*, first_day: date, last_day: date, ledger: OperatorLedger) -> Reconciliation:
    """Compare the sums per provider and posting day, and ask for broken rules.

    Raises:
        Rejection: invalid_request, when the days are the wrong way round.
    """
    if last_day < first_day:
        raise Rejection("invalid_request", detail="the last day is before the first")
    rows = ledger.reconcile(first_day=first_day, last_day=last_day)
    return Reconciliation(first_day, last_day, rows, ledger.violations())
