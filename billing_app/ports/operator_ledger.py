"""What the operators' use cases ask of the ledger and of the user directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from billing_app.domain.bill_lines import BillLine
from billing_app.ports.clock import CalendarDay


@dataclass(frozen=True, slots=True)
class BillBatch:
    """Lines of one file that are issued together, in one transaction.

    `allow_duplicates` also issues bills that look like others that are owed or paid.
    """

    import_id: UUID
    file_name: str
    sha256: str
    dry_run: bool
    allow_duplicates: bool = False
    lines: tuple[BillLine, ...] = ()


@dataclass(frozen=True, slots=True)
class LineResult:
    """What became of a line: issued, revised, already_present or, with a code, rejected.

    `bill_id` and `provider_reference` are those of the bill that the line is, or for
    `probable_duplicate` of the bill that it looks like.
    """

    line: int
    result: str
    code: str | None
    bill_id: UUID | None
    provider_reference: str | None = None


@dataclass(frozen=True, slots=True)
class DayOfProvider:
    """Sums of what was posted for a provider on a day, in minor units of one currency."""

    provider_id: str
    day: date
    currency: str
    payments_minor: int
    lines_minor: int
    bills_minor: int
    reversed_minor: int
    agrees: bool


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of the ledger that is broken, and by what."""

    rule: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class CheckedPage:
    """How many apartments were checked together, where the next page begins, what contradicts."""

    checked: int
    next_apartment: UUID | None
    violations: Sequence[Violation]


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """How far the check of the whole ledger has come.

    `waiting` apartments have changed since they were last checked, or did not agree. `oldest` is
    when the one that waits longest was last checked. `positions` are where passes go on, by name.
    """

    apartments: int
    waiting: int
    oldest: datetime | None
    positions: Mapping[str, UUID]


@dataclass(frozen=True, slots=True)
class GrantedResidency:
    """A resident may act for an apartment and sees what was posted since then."""

    subject: UUID
    apartment_id: UUID
    since: datetime


@dataclass(frozen=True, slots=True)
class EndedResidency:
    """A resident may not act for an apartment any more."""

    subject: UUID
    apartment_id: UUID
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class VoidedBill:
    """A bill that was withdrawn."""

    bill_id: UUID
    apartment_id: UUID
    voided_at: datetime


@dataclass(frozen=True, slots=True)
class ReinstatedBill:
    """A bill that is owed again: the new revision `bill_id` replaces the void one."""

    bill_id: UUID
    replaces: UUID
    apartment_id: UUID
    reinstated_at: datetime


@dataclass(frozen=True, slots=True)
class Reversal:
    """A payment that was undone whole; its bills are open again. Minor units of one currency."""

    reversal_id: UUID
    payment_id: UUID
    receipt_number: str
    reversed_at: datetime
    total_minor: int
    currency: str
    bills: Sequence[UUID]


class BillIssuer(Protocol):
    """Issues bills."""

    def issue_bills(self, *, batch: BillBatch) -> list[LineResult]:
        """Issue the bills that the ledger lacks; return one result a line, in their order."""


class OperatorLedger(BillIssuer, Protocol):
    """Changes the ledger as an operator may; each method is one transaction.

    What can't be done raises `Rejection` with one of the codes named and changes nothing.
    """

    def day_of(self, instant: datetime) -> CalendarDay:
        """Return the day that an aware instant belongs to, as the deployment counts days."""

    def day_begins(self, day: date) -> datetime:
        """Return the first instant of a day, as the deployment counts days."""

    def add_resident(self, *, subject: UUID, name: str) -> None:
        """Add a resident. Rejected: resident_exists, whose data has the `name` that stands."""

    def add_apartment(self, *, apartment_id: UUID, address: str) -> bool:
        """Add an apartment; return whether it is new.

        Rejected: apartment_exists, when the id is that of another address.
        """

    def grant_residency(
        self, *, subject: UUID, apartment_id: UUID, since: datetime | None
    ) -> GrantedResidency:
        """Let a resident act for an apartment and see what was posted since then, or from now on.

        Rejected: resident_not_found, apartment_not_found, residency_exists.
        """

    def end_residency(
        self, *, subject: UUID, apartment_id: UUID, by_mistake: bool = False
    ) -> EndedResidency:
        """End a resident's right to an apartment at once. Rejected: residency_not_found.

        `by_mistake`: it never was theirs, so they owe and see nothing of that time either.
        """

    def add_provider(self, *, provider_id: str, name: str) -> str | None:
        """Add a provider, or give a known one another name; return the name that it had."""

    def void_bill(self, *, bill_id: UUID, reason: str, operator: str) -> VoidedBill:
        """Withdraw an open bill.

        Rejected: bill_not_found, bill_already_paid, bill_void, bill_replaced.
        """

    def reinstate_bill(
        self, *, bill_id: UUID, reason: str, operator: str, allow_duplicates: bool
    ) -> ReinstatedBill:
        """Take back a void, so that the same is owed again.

        Rejected: bill_not_found, bill_not_void, bill_replaced, probable_duplicate.
        """

    def reverse_payment(self, *, payment_id: UUID, reason: str, operator: str) -> Reversal:
        """Undo a payment; its bills become open again.

        Rejected: payment_not_found, payment_already_reversed.
        """

    def reconcile(self, *, first_day: date, last_day: date) -> Sequence[DayOfProvider]:
        """Sum payments, lines and bills per provider and posting day, both days included."""

    def check_apartment(self, *, apartment_id: UUID) -> CheckedPage:
        """Check an apartment. Rejected: apartment_not_found."""

    def check_apartments(self, *, kind: str | None, first: UUID, limit: int) -> CheckedPage:
        """Check the first apartments from this id on, and remember that.

        The pass of this kind goes on behind them: `all`, or `changed` for only those that have
        changed since they were last checked. None checks all and leaves both where they are.

        Raises `TimedOut` when so many take too long.
        """

    def check_progress(self) -> CheckProgress:
        """Tell how far the check has come."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user of the directory. `subject` is what the ledger knows a resident by."""

    username: str
    subject: UUID
    enabled: bool
    # Nobody has logged in with the first password yet, so it may be set again.
    fresh: bool
    email: str | None


class UserDirectory(Protocol):
    """Keeps the logins of residents."""

    def find(self, *, username: str) -> Login | None:
        """Look a user up."""

    def create(self, *, username: str, email: str | None, password: str | None) -> Login:
        """Make a user with a temporary password; without one the directory mails its own.

        A user of that name who is already there is taken as it is.
        Rejected: invalid_new_password, login_invalid.
        """

    def set_password(self, *, username: str, password: str, permanent: bool) -> None:
        """Set a password; a temporary one must be changed at the first login.

        Rejected: invalid_new_password.
        """

    def invite(self, *, username: str) -> None:
        """Mail a new temporary password to a user who is fresh; its time begins anew.

        Rejected: login_not_found, login_in_use.
        """

    def disable(self, *, username: str) -> None:
        """Let a user log in no more and end what sessions there are."""


@dataclass(frozen=True, slots=True)
class AdminContext:
    """What operators' use cases work with; `clock` returns an aware instant."""

    ledger: OperatorLedger
    directory: UserDirectory
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
