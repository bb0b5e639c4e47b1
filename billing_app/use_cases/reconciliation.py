"""Checking that payments, their lines and the bills settled by them agree.

A large ledger is checked in pages, each a short transaction of its own, by as many calls as it
takes: a call works until its time is up and says where the next one goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from billing_app.domain.errors import Rejection, TimedOut
from billing_app.ports.operator_ledger import (
    CheckedPage,
    CheckProgress,
    DayOfProvider,
    OperatorLedger,
    Violation,
)

FIRST_APARTMENT = UUID(int=0)
DAYS_RECONCILED = 31
# An apartment that nobody checked for so long is told like a difference.
CHECKED_WITHIN = timedelta(days=31)
# Pages grow and shrink until they take about so long, on any machine and with any cache.
PAGE_SECONDS = 5.0
FIRST_PAGE, LARGEST_PAGE = 100, 10_000
# An answer of a Lambda function holds 6 MB.
MAX_VIOLATIONS = 1000


@dataclass(frozen=True, slots=True)
class Deadline:
    """Until when a call works."""

    clock: Callable[[], datetime]
    at: datetime

    @property
    def has_passed(self) -> bool:
        """Whether to stop now."""
        return self.clock() >= self.at


@dataclass(slots=True)
class Reconciliation:
    """What a call found in the days, both ends included, and in the apartments that it checked.

    `next_day` and `next_apartment` are where the next call goes on; both are None in the end.
    """

    first_day: date
    last_day: date
    rows: list[DayOfProvider] = field(default_factory=list)
    checked: int = 0
    _violations: dict[Violation, None] = field(default_factory=dict)
    next_day: date | None = None
    next_apartment: UUID | None = None

    def add(self, page: CheckedPage) -> None:
        """Add what was found in a page; an apartment may be in two, one after the other."""
        self.checked += page.checked
        self.next_apartment = page.next_apartment
        self._violations |= dict.fromkeys(page.violations)

    @property
    def violations(self) -> list[Violation]:
        """As many of the contradictions as fit into an answer."""
        return list(self._violations)[:MAX_VIOLATIONS]

    @property
    def violations_left_out(self) -> int:
        """How many more there are."""
        return len(self._violations) - len(self.violations)

    @property
    def agrees(self) -> bool:
        """Whether no row differs and no rule is broken, as far as this call came."""
        return all(row.agrees for row in self.rows) and not self._violations


def reconcile(found: Reconciliation, *, ledger: OperatorLedger, deadline: Deadline) -> None:
    """Compare the sums per provider and posting day, then check all apartments.

    When `found` has a `next_apartment`, an earlier call has compared the days.

    Raises:
        Rejection: invalid_request, when the days are the wrong way round.
    """
    if found.next_apartment is None:
        _sum_days(found, ledger, deadline)
        found.next_apartment = FIRST_APARTMENT
    if found.next_day is None:
        for page in _pages(ledger, None, found.next_apartment, deadline):
            found.add(page)


def reconcile_by_schedule(
    *, last_day: date, ledger: OperatorLedger, deadline: Deadline
) -> tuple[Reconciliation, CheckProgress]:
    """Compare the last days, check what has changed, then as much of the rest as there is time for.

    Each pass goes on where the last run left it.
    """
    first_day = last_day - timedelta(days=DAYS_RECONCILED - 1)
    found = Reconciliation(first_day, last_day)
    positions = ledger.check_progress().positions
    _sum_days(found, ledger, deadline)
    for kind in ("changed", "all"):
        position = positions.get(kind, FIRST_APARTMENT)
        for page in _pages(ledger, kind, position, deadline):
            found.add(page)
    return found, ledger.check_progress()


def is_overdue(progress: CheckProgress, now: datetime) -> bool:
    """Tell whether the check falls behind: some apartment waits for too long."""
    return progress.oldest is not None and progress.oldest < now - CHECKED_WITHIN


def _sum_days(found: Reconciliation, ledger: OperatorLedger, deadline: Deadline) -> None:
    """Sum day by day, so that no statement grows with the number of days."""
    if found.last_day < found.first_day:
        raise Rejection("invalid_request", detail="the last day is before the first")
    for day in _days(found.first_day, found.last_day):
        if day > found.first_day and deadline.has_passed:
            found.next_day = day
            return
        found.rows += ledger.reconcile(first_day=day, last_day=day)


def _days(first: date, last: date) -> Sequence[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _pages(
    ledger: OperatorLedger, kind: str | None, first: UUID | None, deadline: Deadline
) -> Iterator[CheckedPage]:
    """Check page after page; a page that took too long is tried again in smaller ones."""
    size = FIRST_PAGE
    while first is not None and not deadline.has_passed:
        began = deadline.clock()
        try:
            page = ledger.check_apartments(kind=kind, first=first, limit=size)
        except TimedOut:
            if size == 1:
                raise
            size = max(1, size // 4)
            continue
        yield page
        first = page.next_apartment
        size = _next_size(size, (deadline.clock() - began).total_seconds())


def _next_size(size: int, seconds: float) -> int:
    wanted = int(size * PAGE_SECONDS / max(seconds, 0.001))
    return max(1, min(wanted, 2 * size, LARGEST_PAGE))
