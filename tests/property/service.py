"""The shipped operations on Postgres and Redis, and the same ones on the ledger in memory.

Answers are JSON, so that those of the two can be compared.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from redis import Redis

from billing_app.adapters.cached_ledger import CachedLedger
from billing_app.adapters.ledger import PostgresLedger
from billing_app.adapters.operator_ledger import PostgresOperatorLedger
from billing_app.adapters.redis_cache import RedisCache
from billing_app.admin.formatting import plain
from billing_app.admin.operations import handle
from billing_app.domain.errors import Rejection
from billing_app.domain.instants import parse_instant
from billing_app.ports.cache import CachedResult, PendingResult, ResultCache
from billing_app.ports.identity import IdentityProvider
from billing_app.ports.ledger import ApartmentReader, Ledger
from billing_app.ports.operator_ledger import AdminContext, OperatorLedger
from chalicelib.operations import OPERATIONS, Dependencies
from chalicelib.records import read_record
from tests.support.databases import LedgerDatabase
from tests.support.fake_bills import FakeClock
from tests.support.fake_ledger import FakeLedger
from tests.support.fakes import FakeDependencies, FakeIdentity, FakeUserDirectory
from tests.support.records import a_record

Json = dict[str, Any]
# Some of the bills that the model issues are overdue then, and some are not.
TODAY = FakeClock(datetime(2026, 5, 1, 12, tzinfo=UTC))
# The logins, which both ledgers share.
DIRECTORY = FakeUserDirectory()


class Answer(NamedTuple):
    """`code` is None when it was done."""

    code: str | None
    data: Any


@dataclass
class Service:
    """What residents and operators can do to one ledger."""

    residents: Dependencies
    operators: AdminContext

    def ask(
        self, operation: str, who: UUID, apartment: UUID, *, key: str | None = None, **body: Any
    ) -> Answer:
        """Do an operation of a resident; its data are the parts of the reply."""
        record = a_record(body, subject=who, apartment=apartment, key=key)
        try:
            parts = OPERATIONS[operation].run(read_record(record), self.residents)
        except Rejection as rejection:
            return Answer(rejection.code, plain(rejection.data))
        return Answer(None, [json.loads(part) for part in parts])

    def operate(self, operation: str, **arguments: Any) -> Answer:
        """Do an operation of an operator."""
        answer = handle(operation, plain(arguments), context=self.operators)
        return Answer(answer["code"], answer["data"])


def _operators(ledger: OperatorLedger) -> AdminContext:
    return AdminContext(ledger, DIRECTORY, clock=TODAY, new_id=uuid4)


class Model(FakeLedger):
    """The ledger in memory. What nobody can foresee, it takes from the service's answer."""

    def __init__(self) -> None:
        super().__init__()
        self._ids: Iterator[UUID] = iter(())
        self._receipt_number = ""

    def service(self) -> Service:
        """Return the operations on this ledger, without a cache."""
        needs = FakeDependencies(self, clock=TODAY)
        needs.cache.lost = True
        return Service(needs, _operators(self))

    def learn(self, answer: Answer) -> None:
        """Make the same ids, receipt number and instants next as those in an answer."""
        told: Json = answer.data[0] if isinstance(answer.data, list) else answer.data
        told = {} if answer.code else told
        bills = (one for one in told.get("lines", ()) if one.get("result") in {"issued", "revised"})
        made = told.get("reversal_id", told.get("payment_id"))
        if "reinstated_at" in told:
            made = told["bill_id"]
        ids = (made, *(one["bill_id"] for one in bills))
        self._ids = iter([UUID(one) for one in ids if one])
        self._receipt_number = told.get("receipt_number", "")
        instants = ("settled_at", "reversed_at", "voided_at", "reinstated_at", "since", "ended_at")
        at = next((told[name] for name in instants if name in told), None)
        self.clock.now = parse_instant(at) if at else datetime.now(UTC)

    def new_id(self) -> UUID:
        return next(self._ids, UUID(int=0))

    def new_receipt_number(self) -> str:
        return self._receipt_number


class NotingCache(ResultCache):
    """The real cache; counts what it was asked and whether it had something."""

    def __init__(self, cache: ResultCache) -> None:
        self._cache = cache
        self.seen: Counter[str] = Counter()

    def ask(self, *, key: str) -> PendingResult:
        pending = self._cache.ask(key=key)
        return lambda: self._note(pending())

    def store(self, *, key: str, result: CachedResult) -> None:
        self.seen["stored"] += 1
        self._cache.store(key=key, result=result)

    def _note(self, found: CachedResult | None) -> CachedResult | None:
        self.seen["nothing" if found is None else "something"] += 1
        return found


@dataclass
class _Deployed:
    """What the operations of residents work with."""

    ledger: Ledger
    reader: ApartmentReader
    identity: IdentityProvider = field(default_factory=FakeIdentity)
    clock: FakeClock = TODAY


@dataclass
class RealService(Service):
    """The operations on one Postgres and one Redis, which several runs of the model may share."""

    cache: NotingCache
    redis: Redis


@contextmanager
def on_postgres(database: LedgerDatabase, secret: Mapping[str, Any]) -> Iterator[RealService]:
    """Give the service on a database and on the Redis that the secret names."""
    cache = NotingCache(RedisCache(secret=lambda: secret, renew_secret=lambda: None))
    reader = CachedLedger(PostgresLedger(database.adapters("reader")), cache)
    place = {name: secret[name] for name in ("host", "port", "password")}
    with Redis(**place) as redis:
        yield RealService(
            residents=_Deployed(PostgresLedger(database.adapters("writer")), reader),
            operators=_operators(PostgresOperatorLedger(database.adapters("operator"))),
            cache=cache,
            redis=redis,
        )
