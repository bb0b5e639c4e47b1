"""The first half of the ledger in memory: who lives where, and what was billed to whom."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from billing_app.domain.bill_lines import BillLine
from billing_app.domain.bills import Debt, Provider
from billing_app.domain.errors import Rejection
from billing_app.domain.history import SettledDebt
from billing_app.domain.instants import TICK
from billing_app.domain.limits import MAX_NAMED_BILLS
from billing_app.ports.clock import CalendarDay
from billing_app.ports.operator_ledger import (
    BillBatch,
    BillIssuer,
    EndedResidency,
    GrantedResidency,
    LineResult,
    VoidedBill,
)
from tests.support.bills import as_line

UTILITIES = {"electricity", "gas", "water"}
START = datetime(2026, 1, 1, tzinfo=UTC)
_CHANGED = {"issued", "revised"}
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


class FakeClock:
    """A clock that moves only when told."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@dataclass
class FakeBill:
    """A revision of a bill; `state` is open, settled, void or replaced."""

    bill_id: UUID
    line: BillLine
    sha256: str
    state: str = "open"


@dataclass
class FakeApartment:
    """The ledger of one apartment."""

    address: str
    version: int = 1
    events: list[SettledDebt] = field(default_factory=list)

    @property
    def last_posted_at(self) -> datetime | None:
        """The instant of the last event."""
        return self.events[-1].posted_at if self.events else None

    def after_last_event(self, now: datetime) -> datetime:
        """Return the time, or the tick after the last event when the clock stands or was set."""
        return max(now, self.last_posted_at + TICK) if self.last_posted_at else now


class FakeBills(BillIssuer):
    """Residents, apartments, providers and bills in memory."""

    def __init__(self, now: datetime = START) -> None:
        self.clock = FakeClock(now)
        self.time_zone = "UTC"
        self.providers: dict[str, str] = {}
        self.residents: dict[UUID, str] = {}
        self.residencies: dict[tuple[UUID, UUID], datetime] = {}
        self.apartments: dict[UUID, FakeApartment] = {}
        self.bills: dict[UUID, FakeBill] = {}
        self.revisions: defaultdict[tuple[str, str], list[FakeBill]] = defaultdict(list)
        # What operators wrote down: of which bill or payment, the reason, and who.
        self.notes: list[tuple[UUID, str, str]] = []

    def new_id(self) -> UUID:
        return uuid4()

    def day_of(self, instant: datetime) -> CalendarDay:
        day = instant.astimezone(ZoneInfo(self.time_zone)).date()
        return CalendarDay(day, self.time_zone)

    def day_begins(self, day: date) -> datetime:
        return datetime.combine(day, time(), ZoneInfo(self.time_zone)).astimezone(UTC)

    # What tests set up

    def new_resident(self, name: str, *apartments: UUID, since: datetime = START) -> UUID:
        subject = uuid4()
        self.add_resident(subject=subject, name=name)
        for apartment_id in apartments:
            self.grant_residency(subject=subject, apartment_id=apartment_id, since=since)
        return subject

    def new_apartment(self) -> UUID:
        apartment_id = uuid4()
        address = f"{apartment_id.hex[:4]} street"
        self.add_apartment(apartment_id=apartment_id, address=address)
        return apartment_id

    def issue(self, apartment_id: UUID, debt: Debt) -> UUID:
        """Issue a bill with the id that the debt has."""
        self.add_provider(provider_id=debt.provider.provider_id, name=debt.provider.name)
        self.raise_versions([apartment_id])
        line = replace(as_line(debt, apartment_id=apartment_id), line=0)
        return self._open(FakeBill(debt.bill_id, line, sha256=""))

    def bills_in(self, state: str) -> list[FakeBill]:
        """Return the bills in a state."""
        return [bill for bill in self.bills.values() if bill.state == state]

    def add_resident(self, *, subject: UUID, name: str) -> None:
        if subject in self.residents:
            raise Rejection("resident_exists")
        self.residents[subject] = name

    def add_apartment(self, *, apartment_id: UUID, address: str) -> None:
        if apartment_id in self.apartments:
            raise Rejection("apartment_exists")
        self.apartments[apartment_id] = FakeApartment(address)

    def grant_residency(
        self, *, subject: UUID, apartment_id: UUID, since: datetime | None
    ) -> GrantedResidency:
        self._check_residency(subject, apartment_id)
        if (subject, apartment_id) in self.residencies:
            raise Rejection("residency_exists")
        begins = since or self.apartments[apartment_id].after_last_event(self.clock())
        self.residencies[subject, apartment_id] = begins
        self.raise_versions([apartment_id])
        return GrantedResidency(subject, apartment_id, begins)

    def end_residency(self, *, subject: UUID, apartment_id: UUID) -> EndedResidency:
        self._check_residency(subject, apartment_id)
        since = self.residencies.pop((subject, apartment_id), None)
        if since is None:
            raise Rejection("residency_not_found")
        self.raise_versions([apartment_id])
        return EndedResidency(subject, apartment_id, max(self.clock(), since))

    def _check_residency(self, subject: UUID, apartment_id: UUID) -> None:
        if subject not in self.residents:
            raise Rejection("resident_not_found")
        if apartment_id not in self.apartments:
            raise Rejection("apartment_not_found")

    def add_provider(self, *, provider_id: str, name: str) -> None:
        """Debts show a provider's name of today, so a new one changes what is owed to it."""
        if self.providers.get(provider_id, name) != name:
            lines = (bill.line for bill in self.bills_in("open"))
            owing = {one.apartment_id for one in lines if one.provider_id == provider_id}
            self.raise_versions(owing)
        self.providers[provider_id] = name

    def issue_bills(self, *, batch: BillBatch) -> list[LineResult]:
        if batch.dry_run:
            tried = copy.deepcopy(self).issue_bills(batch=replace(batch, dry_run=False))
            return [replace(one, bill_id=None) if one.result in _CHANGED else one for one in tried]
        results = [self._issue(line, batch.sha256) for line in batch.lines]
        given = zip(batch.lines, results, strict=True)
        self.raise_versions({line.apartment_id for line, one in given if one.result in _CHANGED})
        return results

    def _issue(self, given: BillLine, sha256: str) -> LineResult:
        line = replace(given, line=0)
        revisions = self.revisions[line.provider_id, line.provider_reference]
        newest = revisions[-1] if revisions else None
        code = self._unknown_in(line)
        if newest and not code and newest.line.apartment_id != line.apartment_id:
            code = "reference_of_other_apartment"
        if code:
            return LineResult(given.line, "rejected", code, None)
        if newest and any(
            bill.line == line for bill in revisions if bill is newest or bill.sha256 == sha256
        ):
            return LineResult(given.line, "already_present", None, newest.bill_id)
        if newest and newest.state == "settled":
            return LineResult(given.line, "rejected", "bill_already_paid", newest.bill_id)
        if newest:
            newest.state = "replaced"
        bill_id = self._open(FakeBill(self.new_id(), line, sha256))
        return LineResult(given.line, "revised" if newest else "issued", None, bill_id)

    def _unknown_in(self, line: BillLine) -> str | None:
        checks = {
            "apartment_not_found": line.apartment_id in self.apartments,
            "provider_not_found": line.provider_id in self.providers,
            "utility_not_found": line.utility in UTILITIES,
        }
        return next((code for code, known in checks.items() if not known), None)

    def _open(self, bill: FakeBill) -> UUID:
        self.bills[bill.bill_id] = bill
        self.revisions[bill.line.provider_id, bill.line.provider_reference].append(bill)
        return bill.bill_id

    def raise_versions(self, apartments: Iterable[UUID]) -> None:
        for apartment_id in apartments:
            self.apartments[apartment_id].version += 1

    def void_bill(self, *, bill_id: UUID, reason: str = "", operator: str = "") -> VoidedBill:
        bill = self.bills.get(bill_id)
        if bill is None:
            raise Rejection("bill_not_found")
        if rejection := rejection_unless_open([bill]):
            raise rejection
        bill.state = "void"
        self.raise_versions([bill.line.apartment_id])
        self.notes.append((bill_id, reason, operator))
        return VoidedBill(bill_id, bill.line.apartment_id, self.clock())

    def owed_by(self, apartment_id: UUID) -> list[FakeBill]:
        return [bill for bill in self.bills_in("open") if bill.line.apartment_id == apartment_id]

    def provider_of(self, line: BillLine) -> Provider:
        return Provider(line.provider_id, self.providers[line.provider_id])


def naming(code: str, bills: Iterable[UUID]) -> Rejection:
    named = sorted(map(str, bills))
    return Rejection(code, data={"bills": named[:MAX_NAMED_BILLS], "bills_count": len(named)})


def rejection_unless_open(bills: Sequence[FakeBill]) -> Rejection | None:
    gone = [bill.bill_id for bill in bills if bill.state in ("void", "replaced")]
    if gone:
        return naming("bill_void", gone)
    paid = [bill.bill_id for bill in bills if bill.state == "settled"]
    return naming("bill_already_paid", paid) if paid else None
