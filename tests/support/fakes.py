"""Fakes of the ports. They keep the same contract as the adapters: see tests/contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from billing_app.adapters.cached_ledger import CachedLedger
from billing_app.adapters.reply_queues import reply_queue, reply_queue_prefixes
from billing_app.domain.bills import Bill, Debt, OpenDebts, Receipt
from billing_app.domain.errors import Rejection, Unavailable
from billing_app.domain.history import SettledDebt
from billing_app.domain.instants import TICK
from billing_app.ports.cache import CachedResult, PendingResult, ResultCache
from billing_app.ports.identity import Credentials, IdentityProvider, SignedIn, Tokens
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
from billing_app.ports.reply_queues import ReplyAddress, ReplyQueues

START = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """A clock that moves only when told."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@dataclass
class FakeApartment:
    """The ledger of one apartment."""

    version: int = 0
    open: dict[UUID, Debt] = field(default_factory=dict)
    paid: dict[UUID, Debt] = field(default_factory=dict)
    void: set[UUID] = field(default_factory=set)
    events: list[SettledDebt] = field(default_factory=list)
    posted_at: datetime | None = None


class FakeLedger(Ledger, ReplyQueueRegistry):
    """The ledger in memory."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.names: dict[UUID, str] = {}
        self.residencies: dict[tuple[UUID, UUID], datetime] = {}
        self.apartments: dict[UUID, FakeApartment] = {}
        self.answers: dict[tuple[UUID, str], tuple[PaymentOrder, Receipt | Rejection]] = {}
        self.payments: dict[UUID, tuple[UUID, list[Debt], Receipt]] = {}
        self.queues: dict[str, datetime] = {}

    # What tests set up

    def add_resident(self, name: str, *apartments: UUID, since: datetime = START) -> UUID:
        subject = uuid4()
        self.names[subject] = name
        for apartment_id in apartments:
            self.residencies[subject, apartment_id] = since
            self._raise_version(apartment_id)
        return subject

    def add_apartment(self) -> UUID:
        apartment_id = uuid4()
        self.apartments[apartment_id] = FakeApartment()
        return apartment_id

    def issue(self, apartment_id: UUID, debt: Debt) -> UUID:
        self.apartments[apartment_id].open[debt.bill_id] = debt
        self._raise_version(apartment_id)
        return debt.bill_id

    def reverse(self, payment_id: UUID) -> None:
        apartment_id, debts, receipt = self.payments[payment_id]
        apartment = self.apartments[apartment_id]
        for debt in debts:
            apartment.open[debt.bill_id] = apartment.paid.pop(debt.bill_id)
            self._post(apartment, "reversal", debt, receipt)
        self._raise_version(apartment_id)

    # Ledger

    def account(self, *, subject: UUID) -> Account | None:
        if subject not in self.names:
            return None
        theirs = [place for (who, place) in self.residencies if who == subject]
        apartments = tuple(Apartment(place, f"{place.hex[:4]} street") for place in theirs)
        return Account(self.names[subject], apartments)

    def access(self, *, subject: UUID, apartment_id: UUID) -> Access | None:
        since = self.residencies.get((subject, apartment_id))
        if since is None:
            return None
        return Access(self.apartments[apartment_id].version, since)

    def open_debts(self, *, subject: UUID, apartment_id: UUID) -> OpenDebts | None:
        if self.access(subject=subject, apartment_id=apartment_id) is None:
            return None
        apartment = self.apartments[apartment_id]
        in_order = sorted(
            apartment.open.values(), key=lambda debt: (debt.due_on, debt.utility, debt.bill_id)
        )
        return OpenDebts(apartment.version, tuple(in_order))

    def history(
        self, *, subject: UUID, apartment_id: UUID, query: HistoryQuery
    ) -> HistoryPage | None:
        access = self.access(subject=subject, apartment_id=apartment_id)
        if access is None:
            return None
        apartment = self.apartments[apartment_id]
        wanted = [
            event
            for event in apartment.events
            if _is_wanted(event, query, visible_from=access.visible_from)
        ]
        return HistoryPage(
            version=access.version,
            visible_from=access.visible_from,
            last_posted_at=apartment.posted_at,
            events=tuple(wanted[: query.limit]),
            more=len(wanted) > query.limit,
            known_end_exists=_knows_end(apartment, query, visible_from=access.visible_from),
        )

    def pay(self, order: PaymentOrder) -> Receipt:
        fingerprint = replace(order, bills=tuple(sorted(set(order.bills))))
        key = (order.subject, order.request_key)
        if key in self.answers:
            known, answer = self.answers[key]
            if known != fingerprint:
                raise Rejection("idempotency_key_reused")
        else:
            answer = self._pay(order)
            if order.subject in self.names:
                self.answers[key] = (fingerprint, answer)
        if isinstance(answer, Rejection):
            raise answer
        return answer

    def _pay(self, order: PaymentOrder) -> Receipt | Rejection:  # noqa: PLR0911 - one for each rejection
        if self.access(subject=order.subject, apartment_id=order.apartment_id) is None:
            return Rejection("apartment_not_found")
        apartment = self.apartments[order.apartment_id]
        bills = sorted(set(order.bills))
        known = {*apartment.open, *apartment.paid, *apartment.void}
        if not known.issuperset(bills):
            return Rejection("bill_not_found")
        if not apartment.void.isdisjoint(bills):
            return Rejection("bill_void")
        if not set(apartment.paid).isdisjoint(bills):
            return Rejection("bill_already_paid")
        debts = [apartment.open[bill] for bill in bills]
        if len({debt.currency for debt in debts}) > 1:
            return Rejection("currency_mixed")
        total = sum(debt.amount_minor for debt in debts)
        if order.expected_total_minor not in (None, total):
            return Rejection("total_changed", data={"total_minor": total})
        return self._settle(order.apartment_id, debts, total)

    def _settle(self, apartment_id: UUID, debts: Sequence[Debt], total: int) -> Receipt:
        apartment = self.apartments[apartment_id]
        receipt = Receipt(
            payment_id=uuid4(),
            receipt_number=f"R-2026-{len(self.payments) + 1:010}",
            settled_at=self._next_posting(apartment),
            total_minor=total,
            currency=debts[0].currency,
            bills=tuple(map(_paid, debts)),
        )
        for debt in debts:
            apartment.paid[debt.bill_id] = apartment.open.pop(debt.bill_id)
            self._post(apartment, "payment", debt, receipt)
        self.payments[receipt.payment_id] = (apartment_id, list(debts), receipt)
        self._raise_version(apartment_id)
        return receipt

    def _post(self, apartment: FakeApartment, kind: str, debt: Debt, receipt: Receipt) -> None:
        apartment.posted_at = self._next_posting(apartment)
        apartment.events.append(
            SettledDebt(
                seq=len(apartment.events) + 1,
                kind=kind,
                bill=_paid(debt),
                posted_at=apartment.posted_at,
                settled_at=receipt.settled_at,
                payment_id=receipt.payment_id,
                receipt_number=receipt.receipt_number,
            )
        )

    def _next_posting(self, apartment: FakeApartment) -> datetime:
        if apartment.posted_at is None:
            return self.clock.now
        return max(self.clock.now, apartment.posted_at + TICK)

    def _raise_version(self, apartment_id: UUID) -> None:
        self.apartments[apartment_id].version += 1

    # ReplyQueueRegistry

    def register_reply_queue(self, *, name: str, subject: UUID | None, lifetime: timedelta) -> None:
        expires_at = self.clock.now + lifetime
        self.queues[name] = max(expires_at, self.queues.get(name, expires_at))

    def expired_reply_queues(self, *, limit: int) -> list[str]:
        expired = [name for name, until in self.queues.items() if until < self.clock.now]
        return sorted(expired, key=lambda name: self.queues[name])[:limit]

    def forget_reply_queue(self, *, name: str) -> None:
        self.queues.pop(name, None)

    def is_registered(self, *, name: str) -> bool:
        return name in self.queues


def _is_wanted(event: SettledDebt, query: HistoryQuery, *, visible_from: datetime) -> bool:
    if event.seq <= query.after_seq or event.posted_at < visible_from:
        return False
    if query.known_from is None and query.known_to is None:
        return True
    after_start = query.known_from is None or event.posted_at >= query.known_from
    before_end = query.known_to is None or event.posted_at < query.known_to
    return not (after_start and before_end)


def _knows_end(apartment: FakeApartment, query: HistoryQuery, *, visible_from: datetime) -> bool:
    if query.known_to is None or query.known_to <= visible_from:
        return True
    return any(event.posted_at + TICK == query.known_to for event in apartment.events)


def _paid(debt: Debt) -> Bill:
    return Bill(
        debt.bill_id, debt.utility, debt.provider, debt.period, debt.amount_minor, debt.currency
    )


class FakeCache(ResultCache):
    """A cache in memory; `lost` makes it forget everything it is given."""

    def __init__(self) -> None:
        self.entries: dict[str, CachedResult] = {}
        self.lost = False

    def ask(self, *, key: str) -> PendingResult:
        return lambda: self.entries.get(key)

    def store(self, *, key: str, result: CachedResult) -> None:
        if not self.lost:
            self.entries[key] = result


class FakeIdentity(IdentityProvider):
    """Users by name, with their password and `sub`; refresh tokens are `refresh-<sub>`."""

    def __init__(self) -> None:
        self.users: dict[str, tuple[str, UUID]] = {}

    def sign_in(self, credentials: Credentials) -> SignedIn:
        password, subject = self.users.get(credentials.username, (None, None))
        if subject is None or password != credentials.password:
            raise Rejection("invalid_credentials")
        return _signed_in(subject)

    def refresh(self, *, refresh_token: str) -> SignedIn:
        for _, subject in self.users.values():
            if refresh_token == f"refresh-{subject}":
                return _signed_in(subject)
        raise Rejection("session_expired")


def _signed_in(subject: UUID) -> SignedIn:
    tokens = Tokens(f"id-{subject}", f"access-{subject}", f"refresh-{subject}", 3600)
    return SignedIn(subject, tokens)


class FakeReplyQueues(ReplyQueues):
    """Queues in memory; `down` makes SQS unreachable."""

    def __init__(self, clock: FakeClock, prefix: str = "bill-test") -> None:
        self.clock = clock
        self.prefix = prefix
        self.messages: dict[str, list[str]] = {}
        self.made_at: dict[str, datetime] = {}
        self.down = False

    def send(self, address: ReplyAddress, messages: Sequence[str]) -> None:
        self._check()
        name = reply_queue(
            prefix=self.prefix, subject=address.subject, queue_name=address.queue_name
        )
        self.made_at.setdefault(name, self.clock.now)
        self.messages.setdefault(name, []).extend(messages)

    def names(self) -> Iterator[str]:
        self._check()
        return iter(list(self.messages))

    def owns(self, name: str) -> bool:
        return name.startswith(reply_queue_prefixes(prefix=self.prefix))

    def is_idle(self, name: str, *, older_than: timedelta) -> bool:
        self._check()
        if name not in self.made_at:
            return True
        return self.made_at[name] + older_than <= self.clock.now and not self.messages[name]

    def delete(self, name: str) -> None:
        self._check()
        self.messages.pop(name, None)
        self.made_at.pop(name, None)

    def _check(self) -> None:
        if self.down:
            raise Unavailable("sqs: down")


@dataclass
class FakeDependencies:
    """What the operations work with, in memory."""

    ledger: Ledger = field(default_factory=FakeLedger)
    cache: FakeCache = field(default_factory=FakeCache)
    identity: IdentityProvider = field(default_factory=FakeIdentity)
    clock: FakeClock = field(default_factory=FakeClock)

    @property
    def reader(self) -> CachedLedger:
        return CachedLedger(self.ledger, self.cache)
