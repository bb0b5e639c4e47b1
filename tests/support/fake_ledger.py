"""The ledger in memory: what stands in for Postgres, and what Postgres is compared with.

It is plain Python and knows no SQL. tests/contract runs the same tests on it and on Postgres, and
tests/property does the same acts on both, in any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from billing_app.domain.bills import FORMER_RESIDENT, Bill, OpenDebts, Receipt
from billing_app.domain.errors import Rejection
from billing_app.domain.history import SettledDebt
from billing_app.domain.instants import TICK, format_instant
from billing_app.domain.limits import MAX_REJECTIONS
from billing_app.ports.ledger import (
    Access,
    Account,
    Apartment,
    HistoryPage,
    HistoryQuery,
    Ledger,
    PaymentOrder,
    ReplyQueueRegistry,
)
from billing_app.ports.operator_ledger import (
    CheckedPage,
    CheckProgress,
    DayOfProvider,
    OperatorLedger,
    Reversal,
    Violation,
)
from tests.support.bills import as_debt
from tests.support.fake_bills import (
    START,
    FakeBill,
    FakeBills,
    naming,
    rejection_unless_open,
)

LONG_AGO = datetime.min.replace(tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class FakePayment:
    """A payment, and its reversal if it was undone."""

    receipt: Receipt
    order: PaymentOrder
    bills: list[FakeBill]
    reversal: Reversal | None = None


class FakeLedger(FakeBills, Ledger, ReplyQueueRegistry, OperatorLedger):
    """The ledger in memory."""

    def __init__(self, now: datetime = START) -> None:
        super().__init__(now)
        self.payments: dict[UUID, FakePayment] = {}
        self.answers: dict[tuple[UUID, str], tuple[PaymentOrder, Receipt | Rejection]] = {}
        # Stored rejections by subject and hour.
        self.rejections: Counter[tuple[UUID, datetime]] = Counter()
        self.queues: dict[str, datetime] = {}
        self.claims: dict[str, datetime] = {}
        # Told by checks of the ledger, since nothing here can break a rule.
        self.broken_rules: list[Violation] = []
        # The version at which an apartment was checked last, and when.
        self.checked: dict[UUID, tuple[int, datetime]] = {}
        self.positions: dict[str, UUID] = {}
        self.differing: list[DayOfProvider] = []

    def new_receipt_number(self) -> str:
        year = self.day_of(self.clock()).day.year
        return f"R-{year}-{len(self.payments) + 1:010}"

    # Ledger

    def account(self, *, subject: UUID) -> Account | None:
        if subject not in self.residents:
            return None
        seen = filter(None, (self.residency_of(subject, one) for one in self.apartments))
        theirs = [
            Apartment(
                one.apartment_id,
                self.apartments[one.apartment_id].address,
                former=one.ended_at is not None,
            )
            for one in seen
        ]
        in_order = sorted(theirs, key=lambda one: (one.former, one.address, one.apartment_id))
        return Account(self.residents[subject], tuple(in_order))

    def access(self, *, subject: UUID, apartment_id: UUID) -> Access | None:
        if apartment_id not in self.apartments:
            return None
        residency = self.residency_of(subject, apartment_id)
        if residency is None:
            return None
        return Access(self.apartments[apartment_id].version, residency.since)

    def open_debts(self, *, subject: UUID, apartment_id: UUID) -> OpenDebts | None:
        access = self.access(subject=subject, apartment_id=apartment_id)
        if access is None:
            return None
        debts = (
            replace(as_debt(bill.line, self.provider_of(bill.line), bill.bill_id), owed_by=owed_by)
            for bill in self.open_in(apartment_id)
            if (owed_by := self.owed_by(subject, bill.line))
        )
        in_order = sorted(debts, key=lambda debt: (debt.due_on, debt.utility, debt.bill_id))
        return OpenDebts(access.version, tuple(in_order))

    def history(
        self, *, subject: UUID, apartment_id: UUID, query: HistoryQuery
    ) -> HistoryPage | None:
        access = self.access(subject=subject, apartment_id=apartment_id)
        if access is None:
            return None
        seen = self.seen(subject, apartment_id)
        wanted = [event for event in seen if _is_wanted(event, query)]
        return HistoryPage(
            version=access.version,
            visible_from=access.visible_from,
            last_posted_at=seen[-1].posted_at if seen else None,
            events=tuple(wanted[: query.limit]),
            more=len(wanted) > query.limit,
            known_end_exists=self._knows_end(subject, apartment_id, query.known_to),
        )

    def seen(self, subject: UUID, apartment_id: UUID) -> list[SettledDebt]:
        """Return the events that a resident sees: while they had not left, and what they paid."""
        residency = self.residency_of(subject, apartment_id)
        apartment = self.apartments[apartment_id]
        theirs = [
            one
            for one in self.residencies_of(apartment_id)
            if one.subject == subject and one.since < one.end
        ]
        if residency is None:
            return []

        def is_seen(event: SettledDebt) -> bool:
            payment = self.payments[event.payment_id]
            if event.posted_at < residency.since:
                return False
            if payment.order.subject == subject:
                return True
            if event.seq in apartment.for_payer_alone:
                return False
            instants = event.posted_at, payment.receipt.settled_at
            return not any(one.end <= event.posted_at for one in theirs) or any(
                one.covers(at) and one.granted_at <= at for one in theirs for at in instants
            )

        return [event for event in apartment.events if is_seen(event)]

    def _knows_end(self, subject: UUID, apartment_id: UUID, known_to: datetime | None) -> bool:
        residency = self.residency_of(subject, apartment_id)
        if known_to is None or residency is None or known_to <= residency.since:
            return True
        events = self.apartments[apartment_id].events
        return any(event.posted_at == known_to - TICK for event in events)

    def pay(self, order: PaymentOrder) -> Receipt:
        asked_at = order.requested_at or self.clock()
        hour = (order.subject, asked_at.replace(minute=0, second=0, microsecond=0))
        bills = tuple(sorted(set(order.bills)))
        fingerprint = replace(order, bills=bills, is_stale=False, requested_at=None)
        key = (order.subject, order.request_key)
        if key in self.answers:
            known, answer = self.answers[key]
            if known != fingerprint:
                raise Rejection("idempotency_key_reused")
        else:
            if self.rejections[hour] >= MAX_REJECTIONS:
                raise Rejection("too_many_rejections")
            expired = Rejection("request_expired") if order.is_stale else None
            answer = expired or self._rejection(fingerprint) or self._settle(fingerprint)
            if order.subject in self.residents:
                self.answers[key] = (fingerprint, answer)
                self.rejections[hour] += isinstance(answer, Rejection)
        if isinstance(answer, Rejection):
            raise answer
        return answer

    def _rejection(self, order: PaymentOrder) -> Rejection | None:
        if self.access(subject=order.subject, apartment_id=order.apartment_id) is None:
            return Rejection("apartment_not_found")
        if not order.bills:
            return Rejection("invalid_request")
        found = [self.bills[one] for one in order.bills if one in self.bills]
        theirs = [bill for bill in found if bill.line.apartment_id == order.apartment_id]
        unknown = set(order.bills) - {bill.bill_id for bill in theirs}
        owed_by = {bill.bill_id: self.owed_by(order.subject, bill.line) for bill in theirs}
        unknown |= {bill_id for bill_id, owner in owed_by.items() if owner is None}
        if unknown:
            return naming("bill_not_found", unknown)
        others = [
            bill.bill_id
            for bill in theirs
            if bill.state == "open" and owed_by[bill.bill_id] == FORMER_RESIDENT
        ]
        if others:
            return naming("bill_of_former_resident", others)
        return rejection_unless_open(theirs) or _not_as_expected(theirs, order.expected_total_minor)

    def _settle(self, order: PaymentOrder) -> Receipt:
        chosen = [self.bills[bill_id] for bill_id in order.bills]
        bills = sorted(
            chosen, key=lambda bill: (bill.line.period_from, bill.line.utility, bill.bill_id)
        )
        receipt = Receipt(
            payment_id=self.new_id(),
            receipt_number=self.new_receipt_number(),
            settled_at=self._next_posting(order.apartment_id),
            total_minor=sum(bill.line.amount_minor for bill in bills),
            currency=bills[0].line.currency,
            bills=tuple(map(self._as_billed, bills)),
        )
        self.payments[receipt.payment_id] = FakePayment(receipt, order, bills)
        self._post("payment", order.apartment_id, receipt)
        for bill in bills:
            bill.state = "settled"
        return receipt

    def _post(self, kind: str, apartment_id: UUID, receipt: Receipt) -> None:
        """Post an event for each bill, a tick apart, and raise the version."""
        apartment, settled_at = self.apartments[apartment_id], self._next_posting(apartment_id)
        apartment.version += 1
        for number, bill in enumerate(receipt.bills):
            if not self.debtor_lives_there(self.bills[bill.bill_id].line):
                apartment.for_payer_alone.add(len(apartment.events) + 1)
            apartment.events.append(
                SettledDebt(
                    seq=len(apartment.events) + 1,
                    kind=kind,
                    bill=bill,
                    posted_at=settled_at + number * TICK,
                    settled_at=settled_at,
                    payment_id=receipt.payment_id,
                    receipt_number=receipt.receipt_number,
                )
            )

    def _next_posting(self, apartment_id: UUID) -> datetime:
        return self.apartments[apartment_id].after_last_event(self.clock())

    def _as_billed(self, bill: FakeBill) -> Bill:
        debt = as_debt(bill.line, self.provider_of(bill.line), bill.bill_id)
        return Bill(**{name: getattr(debt, name) for name in Bill.__dataclass_fields__})

    # ReplyQueueRegistry

    def register_reply_queue(
        self, *, name: str, subject: UUID | None, lifetime: timedelta
    ) -> timedelta | None:
        if (claim := self._claim(name)) > self.clock():
            return claim - self.clock()
        expires_at = self.clock() + lifetime
        self.queues[name] = max(expires_at, self.queues.get(name, expires_at))
        self.claims.pop(name, None)
        return None

    def adopt_reply_queues(self, *, names: Sequence[str], lifetime: timedelta) -> int:
        lacking = [name for name in names if name not in self.queues]
        self.queues.update(dict.fromkeys(lacking, self.clock() + lifetime))
        return len(lacking)

    def expired_reply_queues(self, *, prefixes: Sequence[str], limit: int) -> list[str]:
        due = {name: max(until, self._claim(name)) for name, until in self.queues.items()}
        expired = [name for name, until in due.items() if until <= self.clock()]
        ours = [name for name in expired if name.startswith(tuple(prefixes))]
        return sorted(ours, key=lambda name: due[name])[:limit]

    def claim_reply_queue(self, *, name: str, hold: timedelta) -> bool:
        if self.queues.get(name, NEVER) > self.clock():
            return False
        self.claims[name] = self.clock() + hold
        return True

    def forget_reply_queue(self, *, name: str) -> None:
        if max(self.queues.get(name, NEVER), self._claim(name)) <= self.clock():
            del self.queues[name]
            self.claims.pop(name, None)

    def _claim(self, name: str) -> datetime:
        return self.claims.get(name, LONG_AGO)

    # OperatorLedger, the rest

    def reverse_payment(
        self, *, payment_id: UUID, reason: str = "", operator: str = ""
    ) -> Reversal:
        payment = self.payments.get(payment_id)
        if payment is None:
            raise Rejection("payment_not_found")
        if payment.reversal:
            told = payment.reversal
            known = {
                "reversal_id": str(told.reversal_id),
                "reversed_at": format_instant(told.reversed_at),
            }
            raise Rejection("payment_already_reversed", data=known)
        receipt = payment.receipt
        payment.reversal = Reversal(
            reversal_id=self.new_id(),
            payment_id=payment_id,
            receipt_number=receipt.receipt_number,
            reversed_at=self._next_posting(payment.order.apartment_id),
            total_minor=receipt.total_minor,
            currency=receipt.currency,
            bills=sorted(bill.bill_id for bill in payment.bills),
        )
        self._post("reversal", payment.order.apartment_id, receipt)
        for bill in payment.bills:
            bill.state = "open"
        self.notes.append((payment_id, reason, operator))
        return payment.reversal

    def reconcile(self, *, first_day: date, last_day: date) -> Sequence[DayOfProvider]:
        sums: dict[tuple[date, str, str], list[int]] = {}
        for apartment in self.apartments.values():
            for event in apartment.events:
                bill, day = event.bill, self.day_of(event.settled_at).day
                if first_day <= day <= last_day:
                    found = sums.setdefault((day, bill.provider.provider_id, bill.currency), [0, 0])
                    found[event.kind == "reversal"] += bill.amount_minor
        rows = [
            DayOfProvider(provider, day, currency, paid, paid, paid, reversed_, agrees=True)
            for (day, provider, currency), (paid, reversed_) in sorted(sums.items())
        ]
        return [*rows, *(row for row in self.differing if first_day <= row.day <= last_day)]

    def check_apartment(self, *, apartment_id: UUID) -> CheckedPage:
        if apartment_id not in self.apartments:
            raise Rejection("apartment_not_found")
        self.checked[apartment_id] = (self.apartments[apartment_id].version, self.clock())
        return CheckedPage(1, None, self.broken_rules)

    def check_apartments(self, *, kind: str | None, first: UUID, limit: int) -> CheckedPage:
        waiting = sorted(one for one in self._waiting(kind) if one >= first)
        page, behind = waiting[:limit], [*waiting[limit : limit + 1], None][0]
        self.checked |= {one: (self.apartments[one].version, self.clock()) for one in page}
        if kind:
            self.positions[kind] = behind or UUID(int=0)
        return CheckedPage(len(page), behind, self.broken_rules)

    def check_progress(self) -> CheckProgress:
        instants = [at for _, at in self.checked.values()]
        return CheckProgress(
            apartments=len(self.apartments),
            waiting=len(self._waiting("changed")),
            oldest=min(instants, default=None),
            positions=self.positions,
        )

    def _waiting(self, kind: str | None) -> list[UUID]:
        known = {one: version for one, (version, _) in self.checked.items()}
        return [
            one
            for one, apartment in self.apartments.items()
            if kind != "changed" or known.get(one) != apartment.version
        ]


def _is_wanted(event: SettledDebt, query: HistoryQuery) -> bool:
    if event.seq <= query.after_seq:
        return False
    if query.known_from is None and query.known_to is None:
        return True
    after_start = query.known_from is None or event.posted_at >= query.known_from
    before_end = query.known_to is None or event.posted_at < query.known_to
    return not (after_start and before_end)


def _not_as_expected(bills: Sequence[FakeBill], expected: int | None) -> Rejection | None:
    currencies = sorted({bill.line.currency for bill in bills})
    if len(currencies) > 1:
        return Rejection("currency_mixed", data={"currencies": currencies})
    total = sum(bill.line.amount_minor for bill in bills)
    if expected in (None, total):
        return None
    data = {"total_minor": total, "expected_total_minor": expected}
    return Rejection("total_changed", data=data)
