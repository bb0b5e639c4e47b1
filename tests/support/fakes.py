"""Fakes of the ports. They keep the same contract as the adapters: see tests/contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from billing_app.adapters.cached_ledger import CachedLedger
from billing_app.adapters.reply_queues import reply_queue, reply_queue_prefixes
from billing_app.domain.bills import Receipt
from billing_app.domain.errors import Rejection, Unavailable
from billing_app.ports.cache import CachedResult, PendingResult, ResultCache
from billing_app.ports.identity import Credentials, IdentityProvider, SignedIn, Tokens
from billing_app.ports.ledger import Ledger, PaymentOrder
from billing_app.ports.operator_ledger import Login, UserDirectory
from billing_app.ports.reply_queues import (
    FoundQueue,
    IdleQueues,
    ReplyAddress,
    ReplyQueueHeld,
    ReplyQueues,
)
from billing_app.ports.request_queue import RequestQueue
from tests.support.bills import a_debt
from tests.support.fake_bills import FakeClock
from tests.support.fake_ledger import FakeLedger


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


class FakeReplyQueues(ReplyQueues, IdleQueues):
    """Queues in memory; `down` makes SQS unreachable, `broken` for one.

    While `held` is set, all names are those of queues that were deleted a moment ago.
    """

    def __init__(self, prefix: str = "bill-test") -> None:
        self.prefix = prefix
        self.messages: dict[str, list[str]] = {}
        self.down = False
        self.broken: set[str] = set()
        self.held: timedelta | None = None

    @property
    def prefixes(self) -> tuple[str, str]:
        return reply_queue_prefixes(prefix=self.prefix)

    def send(self, address: ReplyAddress, messages: Sequence[str]) -> None:
        self._check()
        if self.held is not None:
            raise ReplyQueueHeld(self.held)
        name = reply_queue(
            prefix=self.prefix, subject=address.subject, queue_name=address.queue_name
        )
        self.messages.setdefault(name, []).extend(messages)

    def names(self, *, digit: str) -> Iterator[Sequence[str]]:
        self._check()
        for prefix in self.prefixes:
            for name in list(self.messages):
                if name.startswith(prefix + digit):
                    yield [name]

    def find(self, name: str) -> FoundQueue | None:
        self._check(name)
        return FoundQueue(name, not self.messages[name]) if name in self.messages else None

    def delete(self, found: FoundQueue) -> None:
        self._check(found.url)
        self.messages.pop(found.url, None)

    def _check(self, name: str = "") -> None:
        if self.down or name in self.broken:
            raise Unavailable("sqs: down")


class FakeRequestQueue(RequestQueue):
    """Keeps how long each request was put off, by its receipt handle."""

    def __init__(self) -> None:
        self.waits: dict[str, timedelta] = {}

    def put_off(self, receipt_handle: str, *, wait: timedelta) -> None:
        self.waits[receipt_handle] = wait


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


class Resident:
    """Ada, who lives in an apartment of a ledger in memory."""

    def __init__(self, ledger: FakeLedger | None = None) -> None:
        self.ledger = ledger or FakeLedger()
        self.home = self.ledger.new_apartment()
        self.subject = self.ledger.new_resident("Ada", self.home)
        self.needs = FakeDependencies(self.ledger)

    def bill(self, **debt: Any) -> UUID:
        """Issue a bill, of 51.40 EUR unless said otherwise."""
        return self.ledger.issue(self.home, a_debt(**debt))

    def pay(self, *bills: UUID) -> Receipt:
        """Pay these bills, or a new one."""
        chosen = bills or (self.bill(),)
        return self.ledger.pay(PaymentOrder(self.subject, str(uuid4()), self.home, chosen, None))


@dataclass
class FakeLogin:
    """A user of the fake directory."""

    subject: UUID
    password: str | None
    email: str | None
    enabled: bool = True
    fresh: bool = True


class FakeUserDirectory(UserDirectory):
    """Keeps logins in a dictionary; passwords need ten characters."""

    def __init__(self) -> None:
        self.accounts: dict[str, FakeLogin] = {}

    def find(self, *, username: str) -> Login | None:
        account = self.accounts.get(username)
        if account is None:
            return None
        return Login(username, account.subject, account.enabled, account.fresh, account.email)

    def create(self, *, username: str, email: str | None, password: str | None) -> Login:
        if password is not None:
            _check_password(password)
        account = self.accounts.setdefault(username, FakeLogin(uuid4(), password, email))
        return Login(username, account.subject, account.enabled, account.fresh, account.email)

    def invite(self, *, username: str) -> None:
        account = self._known(username)
        if not account.fresh:
            raise Rejection("login_in_use")
        account.password = None

    def set_password(self, *, username: str, password: str, permanent: bool) -> None:
        _check_password(password)
        account = self._known(username)
        account.password, account.fresh = password, not permanent

    def disable(self, *, username: str) -> None:
        self._known(username).enabled = False

    def _known(self, username: str) -> FakeLogin:
        if username not in self.accounts:
            raise Rejection("login_not_found")
        return self.accounts[username]


def _check_password(password: str) -> None:
    if len(password) < 10:
        raise Rejection("invalid_new_password")
