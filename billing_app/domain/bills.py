"""Bills as residents see them: what is owed, to whom, for which period."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar
from uuid import UUID

Key = TypeVar("Key")

# Who owes a debt, as the resident sees it who asks.
YOU, FORMER_RESIDENT = "you", "former_resident"


@dataclass(frozen=True, slots=True)
class Provider:
    """A company that bills for a utility."""

    provider_id: str
    name: str


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The billing period, both days included."""

    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Bill:
    """What is billed. `amount_minor` counts minor units of `currency` (ISO 4217)."""

    bill_id: UUID
    utility: str
    provider: Provider
    period: Period
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Debt(Bill):
    """An open bill. `owed_by` is `you` or, for who lives there now, `former_resident`."""

    due_on: date
    owed_by: str = YOU


def days_overdue(*, due_on: date, today: date) -> int:
    """Count the days since the due date, 0 while it has not passed."""
    return max(0, (today - due_on).days)


@dataclass(frozen=True, slots=True)
class Total(Generic[Key]):
    """A sum over debts of one group and currency."""

    key: Key
    bills: int
    total_minor: int
    currency: str


def total_by(debts: Iterable[Debt], *, key: Callable[[Debt], Key]) -> tuple[Total[Key], ...]:
    """Sum debts by group and currency, in the order in which the groups first appear.

    Amounts of different currencies are never added: a group with two of them gives two totals.
    """
    sums: dict[tuple[Key, str], tuple[int, int]] = {}
    for debt in debts:
        group = (key(debt), debt.currency)
        bills, total_minor = sums.get(group, (0, 0))
        sums[group] = (bills + 1, total_minor + debt.amount_minor)
    return tuple(
        Total(key=group, bills=bills, total_minor=total_minor, currency=currency)
        for (group, currency), (bills, total_minor) in sums.items()
    )


@dataclass(frozen=True, slots=True)
class OpenDebts:
    """The debts of an apartment that one resident sees, at one version of its ledger."""

    version: int
    debts: tuple[Debt, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a payment settled, with the names of that time.

    It never changes, not even when the payment is reversed.
    """

    payment_id: UUID
    receipt_number: str
    settled_at: datetime
    total_minor: int
    currency: str
    bills: tuple[Bill, ...]
