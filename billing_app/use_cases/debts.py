"""A resident looks at what an apartment owes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing_app.domain.bills import YOU, Debt, Period, Provider, Total, total_by
from billing_app.domain.errors import Rejection
from billing_app.ports.clock import Calendar, CalendarDay, Clock
from billing_app.ports.ledger import ApartmentReader


@dataclass(frozen=True, slots=True)
class Debts:
    """What a resident owes for an apartment at `as_of`, on the day `today`, with totals.

    `former_residents_debts` are open, too, but not theirs to pay, and in no total.
    """

    apartment_id: UUID
    version: int
    as_of: datetime
    today: CalendarDay
    debts: tuple[Debt, ...]
    former_residents_debts: tuple[Debt, ...]
    by_utility: tuple[Total[str], ...]
    by_provider: tuple[Total[Provider], ...]
    by_period: tuple[Total[Period], ...]
    by_currency: tuple[Total[None], ...]


def show_debts(
    *,
    reader: ApartmentReader,
    clock: Clock,
    calendar: Calendar,
    subject: UUID,
    apartment_id: UUID,
) -> Debts:
    """Return the current debts.

    Raises:
        Rejection: `apartment_not_found`.
        Unavailable: the database does not answer.
    """
    found = reader.open_debts(subject=subject, apartment_id=apartment_id)
    if found is None:
        raise Rejection("apartment_not_found")
    theirs = tuple(debt for debt in found.debts if debt.owed_by == YOU)
    as_of = clock()
    return Debts(
        apartment_id=apartment_id,
        version=found.version,
        as_of=as_of,
        today=calendar(as_of),
        debts=theirs,
        former_residents_debts=tuple(debt for debt in found.debts if debt.owed_by != YOU),
        by_utility=total_by(theirs, key=lambda debt: debt.utility),
        by_provider=total_by(theirs, key=lambda debt: debt.provider),
        by_period=total_by(theirs, key=lambda debt: debt.period),
        by_currency=total_by(theirs, key=lambda _: None),
    )
