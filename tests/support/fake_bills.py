"""The first half of the ledger in memory: who lives where, and what was billed to whom."""

from __future__ import annotations

import copy
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from billing_app.domain.bill_lines import BillIdentity, BillLine
from billing_app.domain.bills import FORMER_RESIDENT, YOU, Debt, Provider
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
    ReinstatedBill,
    VoidedBill,
)
from tests.support.bills import as_line

UTILITIES = {"electricity", "gas", "water"}
START = datetime(2026, 1, 1, tzinfo=UTC)
FOREVER = datetime(9000, 1, 1, tzinfo=UTC)
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
class FakeResidency:
    """A residency; `granted_at` and `ended_at` are by the ledger's clock."""

    subject: UUID
    apartment_id: UUID
    since: datetime
    granted_at: datetime
    ended_at: datetime | None = None

    @property
    def end(self) -> datetime:
        """The end, which is far away while the residency lasts."""
        return self.ended_at or FOREVER

    def covers(self, instant: datetime) -> bool:
        return self.since <= instant < self.end


@dataclass
class FakeBill:
    """A revision of a bill; `state` is open, settled, void or replaced."""

    bill_id: UUID
    line: BillLine
    sha256: str
    state: str = "open"

    def looks_like(self, line: BillLine, sha256: str) -> bool:
        """Tell whether the line is probably this bill, if it is owed or paid."""
        mine = self.line
        same = ("apartment_id", "provider_id", "utility")
        money = ("period_from", "period_to", "amount_minor", "currency")
        return (
            self.state in ("open", "settled")
            and _agree(mine, line, same)
            and mine.period_from <= line.period_to
            and mine.period_to >= line.period_from
            and (
                _bare(mine) == _bare(line) != ""
                or (self.sha256 != sha256 and _agree(mine, line, money))
            )
        )


@dataclass
class FakeApartment:
    """The ledger of one apartment."""

    address: str
    version: int = 1
    events: list[SettledDebt] = field(default_factory=list)
    # Positions of the events that only their payer sees.
    for_payer_alone: set[int] = field(default_factory=set)

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
        self.residencies: list[FakeResidency] = []
        self.apartments: dict[UUID, FakeApartment] = {}
        self.bills: dict[UUID, FakeBill] = {}
        self.revisions: defaultdict[BillIdentity, list[FakeBill]] = defaultdict(list)
        # What operators wrote down: of which bill or payment, the reason, and who.
        self.notes: list[tuple[UUID, str, str]] = []

    def new_id(self) -> UUID:
        return uuid4()

    def set_time_zone(self, time_zone: str) -> None:
        if time_zone != self.time_zone:
            self.time_zone = time_zone
            self.raise_versions(self.apartments)

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

    def show_from(self, subject: UUID, apartment_id: UUID, since: datetime) -> None:
        """Let somebody see an apartment since another instant, without the tale of a move."""
        others = [
            one
            for one in self.residencies
            if (one.subject, one.apartment_id) != (subject, apartment_id)
        ]
        self.residencies = [*others, FakeResidency(subject, apartment_id, since, since)]

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
            known = {"subject": str(subject), "name": self.residents[subject]}
            raise Rejection("resident_exists", data=known)
        self.residents[subject] = name

    def add_apartment(self, *, apartment_id: UUID, address: str) -> bool:
        known = self.apartments.setdefault(apartment_id, made := FakeApartment(address))
        if known.address != address:
            raise Rejection("apartment_exists")
        return known is made

    def grant_residency(
        self, *, subject: UUID, apartment_id: UUID, since: datetime | None
    ) -> GrantedResidency:
        self._check_residency(subject, apartment_id)
        if self.unended(subject, apartment_id):
            raise Rejection("residency_exists")
        now = self.apartments[apartment_id].after_last_event(self.clock())
        begins = since or now
        self.residencies.append(FakeResidency(subject, apartment_id, begins, now))
        self.raise_versions([apartment_id])
        return GrantedResidency(subject, apartment_id, begins)

    def end_residency(
        self, *, subject: UUID, apartment_id: UUID, by_mistake: bool = False
    ) -> EndedResidency:
        self._check_residency(subject, apartment_id)
        ending = self.unended(subject, apartment_id)
        if ending is None:
            raise Rejection("residency_not_found")
        now = self.apartments[apartment_id].after_last_event(self.clock())
        ending.ended_at = ending.since if by_mistake else max(now, ending.since)
        self.raise_versions([apartment_id])
        return EndedResidency(subject, apartment_id, ending.ended_at)

    def unended(self, subject: UUID, apartment_id: UUID) -> FakeResidency | None:
        """Return the residency that was not ended, even if it has yet to begin."""
        theirs = self.residencies_of(apartment_id)
        return next((one for one in theirs if one.subject == subject and not one.ended_at), None)

    def residencies_of(self, apartment_id: UUID) -> list[FakeResidency]:
        return [one for one in self.residencies if one.apartment_id == apartment_id]

    def residency_of(self, subject: UUID, apartment_id: UUID) -> FakeResidency | None:
        """Return the residency by which somebody sees an apartment: the present or the last one."""
        now = self.apartments[apartment_id].after_last_event(self.clock())
        theirs = [
            one
            for one in self.residencies_of(apartment_id)
            if one.subject == subject and one.since <= now and one.since < one.end
        ]
        return max(theirs, key=lambda one: (one.end, one.granted_at), default=None)

    def debtors(self, line: BillLine) -> set[UUID]:
        """Who lived there on the last day of the period on which anybody did, or came first."""
        days = [
            (one, self.day_of(one.since).day, self.day_of(one.end - TICK).day)
            for one in self.residencies_of(line.apartment_id)
            if one.since < one.end
        ]
        last = {
            (one.subject, min(left, line.period_to))
            for one, came, left in days
            if came <= line.period_to and left >= line.period_from
        }
        if last:
            latest = max(day for _, day in last)
            return {subject for subject, day in last if day == latest}
        later = [one for one, came, _ in days if came > line.period_to]
        first = min((one.since for one in later), default=None)
        return {one.subject for one in later if one.since == first}

    def debtor_lives_there(self, line: BillLine) -> bool:
        return any(self.unended(one, line.apartment_id) for one in self.debtors(line))

    def owed_by(self, subject: UUID, line: BillLine) -> str | None:
        """Tell who owes a bill as a resident sees it, None if they don't see it."""
        if subject in self.debtors(line):
            return YOU
        seen_by = self.residency_of(subject, line.apartment_id)
        if seen_by is None or seen_by.ended_at:
            return None
        return YOU if self.debtor_lives_there(line) else FORMER_RESIDENT

    def _check_residency(self, subject: UUID, apartment_id: UUID) -> None:
        if subject not in self.residents:
            raise Rejection("resident_not_found")
        if apartment_id not in self.apartments:
            raise Rejection("apartment_not_found")

    def add_provider(self, *, provider_id: str, name: str) -> str | None:
        """Debts show a provider's name of today, so a new one changes what is owed to it."""
        if self.providers.get(provider_id, name) != name:
            lines = (bill.line for bill in self.bills_in("open"))
            owing = {one.apartment_id for one in lines if one.provider_id == provider_id}
            self.raise_versions(owing)
        former = self.providers.get(provider_id)
        self.providers[provider_id] = name
        return former

    def issue_bills(self, *, batch: BillBatch) -> list[LineResult]:
        if batch.dry_run:
            tried = copy.deepcopy(self).issue_bills(batch=replace(batch, dry_run=False))
            return [replace(one, bill_id=self._known(one.bill_id)) for one in tried]
        times = Counter(line.identity for line in batch.lines)
        results = [
            LineResult(line.line, "rejected", "reference_duplicated", None)
            if times[line.identity] > 1
            else self._issue(line, batch)
            for line in batch.lines
        ]
        given = zip(batch.lines, results, strict=True)
        self.raise_versions({line.apartment_id for line, one in given if one.result in _CHANGED})
        return results

    def _issue(self, given: BillLine, batch: BillBatch) -> LineResult:
        line = replace(given, line=0)
        newest = next(reversed(self.revisions[line.identity]), None)
        result, code, told = self._judged(line, newest, batch)
        if result in _CHANGED:
            if newest:
                newest.state = "replaced"
            told = FakeBill(self.new_id(), line, batch.sha256)
            self._open(told)
        named = (told.bill_id, told.line.provider_reference) if told else (None, None)
        return LineResult(given.line, result, code, *named)

    def _judged(
        self, line: BillLine, newest: FakeBill | None, batch: BillBatch
    ) -> tuple[str, str | None, FakeBill | None]:
        code = self._unknown_in(line)
        if not code and newest and newest.line.apartment_id != line.apartment_id:
            code = "reference_of_other_apartment"
        if code:
            return "rejected", code, None
        if newest and any(
            bill.line == line
            for bill in self.revisions[line.identity]
            if bill is newest or bill.sha256 == batch.sha256
        ):
            code = "bill_void" if newest.state == "void" else None
            return "rejected" if code else "already_present", code, newest
        if newest and newest.sha256 == batch.sha256:
            return "rejected", "reference_duplicated", newest
        if newest and newest.state == "settled":
            return "rejected", "bill_already_paid", newest
        closed = newest is None or newest.state != "open"
        duplicate = self._duplicate(line, batch.sha256) if closed else None
        if duplicate and not batch.allow_duplicates:
            return "rejected", "probable_duplicate", duplicate
        return "revised" if newest else "issued", None, None

    def _known(self, bill_id: UUID | None) -> UUID | None:
        return bill_id if bill_id in self.bills else None

    def _duplicate(self, line: BillLine, sha256: str = "") -> FakeBill | None:
        return next((bill for bill in self.bills.values() if bill.looks_like(line, sha256)), None)

    def _unknown_in(self, line: BillLine) -> str | None:
        checks = {
            "apartment_not_found": line.apartment_id in self.apartments,
            "provider_not_found": line.provider_id in self.providers,
            "utility_not_found": line.utility in UTILITIES,
        }
        return next((code for code, known in checks.items() if not known), None)

    def _open(self, bill: FakeBill) -> UUID:
        self.bills[bill.bill_id] = bill
        self.revisions[bill.line.identity].append(bill)
        return bill.bill_id

    def raise_versions(self, apartments: Iterable[UUID]) -> None:
        for apartment_id in apartments:
            self.apartments[apartment_id].version += 1

    def void_bill(self, *, bill_id: UUID, reason: str = "", operator: str = "") -> VoidedBill:
        bill = self._in_state(bill_id, "open")
        bill.state = "void"
        self.raise_versions([bill.line.apartment_id])
        self.notes.append((bill_id, reason, operator))
        return VoidedBill(bill_id, bill.line.apartment_id, self.clock())

    def reinstate_bill(
        self, *, bill_id: UUID, reason: str, operator: str, allow_duplicates: bool
    ) -> ReinstatedBill:
        bill = self._in_state(bill_id, "void")
        duplicate = self._duplicate(bill.line)
        if duplicate and not allow_duplicates:
            named = (str(duplicate.bill_id), duplicate.line.provider_reference)
            data = dict(zip(("bill_id", "provider_reference"), named, strict=True))
            raise Rejection("probable_duplicate", data=data)
        bill.state = "replaced"
        new_id = self._open(FakeBill(self.new_id(), bill.line, bill.sha256))
        self.raise_versions([bill.line.apartment_id])
        self.notes.append((bill_id, reason, operator))
        return ReinstatedBill(new_id, bill_id, bill.line.apartment_id, self.clock())

    def _in_state(self, bill_id: UUID, expected: str) -> FakeBill:
        bill = self.bills.get(bill_id)
        if bill is None:
            raise Rejection("bill_not_found")
        if bill.state == expected:
            return bill
        codes = {"void": "bill_void", "settled": "bill_already_paid", "replaced": "bill_replaced"}
        if expected == "void":
            codes |= dict.fromkeys(("open", "settled"), "bill_not_void")
        newest = self.revisions[bill.line.identity][-1].bill_id
        raise Rejection(codes[bill.state], data={"bill_id": str(newest)})

    def open_in(self, apartment_id: UUID) -> list[FakeBill]:
        return [bill for bill in self.bills_in("open") if bill.line.apartment_id == apartment_id]

    def provider_of(self, line: BillLine) -> Provider:
        return Provider(line.provider_id, self.providers[line.provider_id])


def _agree(one: BillLine, other: BillLine, names: Iterable[str]) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _bare(line: BillLine) -> str:
    """Write a reference without leading zeros, capitals, spaces, and punctuation around words."""
    text = unicodedata.normalize("NFKC", line.provider_reference).upper()
    text = re.sub(r"(?<![0-9])0+(?=[0-9])", "", text)
    text = re.sub(r"[\s!-/:-@\[-`{-~\u2010-\u2015]+", "-", text)
    return re.sub(r"(?<![0-9])-|-(?![0-9])", "", text)


def naming(code: str, bills: Iterable[UUID]) -> Rejection:
    named = sorted(map(str, bills))
    return Rejection(code, data={"bills": named[:MAX_NAMED_BILLS], "bills_count": len(named)})


def rejection_unless_open(bills: Sequence[FakeBill]) -> Rejection | None:
    gone = [bill.bill_id for bill in bills if bill.state in ("void", "replaced")]
    if gone:
        return naming("bill_void", gone)
    paid = [bill.bill_id for bill in bills if bill.state == "settled"]
    return naming("bill_already_paid", paid) if paid else None
