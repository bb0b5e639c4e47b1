"""The service as the model's opponent: the shipped use cases on Postgres and Redis.

Answers come in the model's shape; nothing is judged here.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from uuid import UUID, uuid4

from redis import Redis

from billing_app.adapters.cached_ledger import CachedLedger
from billing_app.adapters.connections import Database
from billing_app.adapters.ledger import PostgresLedger
from billing_app.adapters.operator_ledger import PostgresOperatorLedger
from billing_app.adapters.redis_cache import RedisCache
from billing_app.admin.bill_files import checked
from billing_app.admin.formatting import plain
from billing_app.domain.bill_lines import COLUMNS
from billing_app.domain.errors import Rejection
from billing_app.ports.cache import CachedResult, PendingResult, ResultCache
from billing_app.ports.ledger import PaymentOrder
from billing_app.ports.operator_ledger import BillBatch, BillIssuer, LineResult
from billing_app.use_cases import residents, reversals
from billing_app.use_cases.debts import show_debts
from billing_app.use_cases.history import HistorySync, HistoryUpdate
from billing_app.use_cases.imports import import_bills
from chalicelib.cursors import read_cursor, read_frame
from chalicelib.serializers import debts_parts, history_parts, receipt_parts
from tests.property.values import Answer, Line, Order
from tests.support.databases import LedgerDatabase
from tests.support.fake_operator_ledger import Account, FakeUserDirectory

Json = dict[str, Any]
NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
NOTE = reversals.AuditNote(operator="olga", reason="because")
# Digits behind the point, of the currencies that the model uses.
DECIMALS = {"EUR": 2, "JPY": 0}


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


class NotingIssuer(BillIssuer):
    """The real ledger; remembers what became of each line."""

    def __init__(self, ledger: BillIssuer) -> None:
        self._ledger = ledger
        self.results: dict[int, LineResult] = {}

    def issue_bills(self, *, batch: BillBatch) -> list[LineResult]:
        results = self._ledger.issue_bills(batch=batch)
        self.results |= {one.line: one for one in results}
        return results


@dataclass
class Service:
    """One database and one Redis, which several runs of the model may share."""

    database: LedgerDatabase
    secret: Mapping[str, Any]
    directory: FakeUserDirectory = field(default_factory=FakeUserDirectory)
    _databases: list[Database] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.writer = PostgresLedger(self._role("writer"))
        self.reader = PostgresLedger(self._role("reader"))
        self.ledger = PostgresOperatorLedger(self._role("operator"))
        self.cache = NotingCache(RedisCache(secret=lambda: self.secret, renew_secret=lambda: None))
        self._cached = CachedLedger(self.reader, self.cache)
        self.redis = Redis(
            host=self.secret["host"], port=self.secret["port"], password=self.secret["password"]
        )

    def close(self) -> None:
        """Close every connection."""
        for database in self._databases:
            database.close()
        self.redis.close()

    def add_login(self, username: str) -> str:
        """Add a login that is no resident yet; return its subject."""
        subject = uuid4()
        self.directory.accounts[username] = Account(subject, None, None)
        return str(subject)

    def issue(self, lines: Sequence[Line]) -> list[Answer]:
        """Import a file; each line is answered with its end and its bill."""
        text = "".join(f"{one}\r\n" for one in (",".join(COLUMNS), *map(_csv, lines)))
        issuer = NotingIssuer(self.ledger)
        source = BillBatch(uuid4(), "bills.csv", digest(lines), dry_run=False)
        rows = checked(io.BytesIO(text.encode()), name="bills.csv").rows()
        imported = chain.from_iterable(import_bills(rows=rows, source=source, ledger=issuer))
        rejected = {
            one.row.line: one.row.problems[0].code for one in imported if one.result == "rejected"
        }
        return [_end(issuer.results.get(n), rejected.get(n)) for n in range(2, len(lines) + 2)]

    def pay(self, order: Order) -> Answer:
        """Pay bills."""
        wanted = PaymentOrder(
            subject=UUID(order.who),
            request_key=order.key,
            apartment_id=UUID(order.apartment),
            bills=tuple(map(UUID, order.bills)),
            expected_total_minor=order.expected,
        )
        return answered(lambda: parsed(receipt_parts(self.writer.pay(wanted)))[0])

    def void(self, bill_id: str) -> Answer:
        """Withdraw a bill."""
        return answered(
            lambda: reversals.void_bill(bill_id=UUID(bill_id), note=NOTE, ledger=self.ledger)
        )

    def reverse(self, payment_id: str) -> Answer:
        """Undo a payment."""
        return answered(
            lambda: reversals.reverse_payment(
                payment_id=UUID(payment_id), note=NOTE, ledger=self.ledger
            )
        )

    def grant(self, username: str, apartment: str, since: str) -> Answer:
        """Let somebody act for an apartment."""
        return answered(
            lambda: residents.grant_residency(
                username=username,
                apartment_id=UUID(apartment),
                since=datetime.fromisoformat(since),
                ledger=self.ledger,
                directory=self.directory,
            )
        )

    def end(self, username: str, apartment: str) -> Answer:
        """Let them act there no more."""
        return answered(
            lambda: residents.end_residency(
                username=username,
                apartment_id=UUID(apartment),
                ledger=self.ledger,
                directory=self.directory,
            )
        )

    def debts(self, who: str, apartment: str) -> Answer:
        """Show debts, through the cache."""
        return answered(
            lambda: parsed(
                debts_parts(
                    show_debts(
                        reader=self._cached,
                        clock=lambda: NOW,
                        subject=UUID(who),
                        apartment_id=UUID(apartment),
                    )
                )
            )
        )

    def sync(self, who: str, apartment: str, asked: Json) -> Answer:
        """Sync a history, through the cache."""
        return answered(
            lambda: parsed(history_parts(self._update(UUID(who), UUID(apartment), asked)))
        )

    def _update(self, who: UUID, apartment: UUID, asked: Json) -> HistoryUpdate:
        start = read_frame(date_down=asked["date_down"], date_up=asked["date_up"])
        if asked["cursor"] is not None:
            start = read_cursor(asked["cursor"], apartment_id=apartment)
        return HistorySync(self._cached, who, apartment).update(start)

    def _role(self, role: str) -> Database:
        database = Database(
            secret=lambda: self.database.secret(role),
            renew_secret=lambda: None,
            application_name="model",
        )
        self._databases.append(database)
        return database


def answered(act: Callable[[], Any]) -> Answer:
    """Return what was done, or the rejection."""
    try:
        return Answer(None, plain(act()))
    except Rejection as rejection:
        return Answer(rejection.code, plain(rejection.data))


def parsed(parts: Sequence[str]) -> list[Json]:
    """Read the parts of an answer."""
    return [json.loads(part) for part in parts]


def digest(lines: Sequence[Line]) -> str:
    """Return the digest of a file: the same lines are the same file."""
    return hashlib.sha256(repr(list(lines)).encode()).hexdigest()


def _csv(line: Line) -> str:
    digits = DECIMALS[line.currency]
    amount = f"{line.amount / 10**digits:.{digits}f}"
    name = (line.apartment, line.utility, line.provider, line.reference)
    return ",".join((*name, *line.period, line.due_on, amount, line.currency))


def _end(result: LineResult | None, rejected: str | None) -> Answer:
    bill_id = str(result.bill_id) if result and result.bill_id else None
    return Answer(rejected or (result.result if result else "lost"), bill_id)
