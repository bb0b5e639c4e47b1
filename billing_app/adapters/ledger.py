"""The ledger in Postgres: each method is one function of the schema `api`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from billing_app.adapters.connections import Database
from billing_app.adapters.ledger_json import (
    read_account,
    read_history_page,
    read_open_debts,
    read_receipt,
)
from billing_app.domain.bills import OpenDebts, Receipt
from billing_app.domain.errors import Rejection
from billing_app.ports.clock import CalendarDay
from billing_app.ports.ledger import Access, Account, HistoryPage, HistoryQuery, PaymentOrder


class PostgresLedger:
    """`Ledger` and `ReplyQueueRegistry` on one connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def account(self, *, subject: UUID) -> Account | None:
        """Return the resident and their apartments."""
        found = self._database.value(
            "SELECT api.resident_account(%(subject)s)", {"subject": subject}
        )
        return None if found is None else read_account(found)

    def day_of(self, instant: datetime) -> CalendarDay:
        """Ask Postgres, so that its days and those of SQL are the same."""
        rows = self._database.rows("SELECT day, time_zone FROM api.day_of(%(at)s)", {"at": instant})
        return CalendarDay(*rows[0])

    def access(self, *, subject: UUID, apartment_id: UUID) -> Access | None:
        """Read permission and version together, on the writer."""
        rows = self._database.rows(
            "SELECT version, visible_from FROM api.apartment_access(%(subject)s, %(apartment)s)",
            {"subject": subject, "apartment": apartment_id},
        )
        return Access(*rows[0]) if rows else None

    def open_debts(self, *, subject: UUID, apartment_id: UUID) -> OpenDebts | None:
        """Read the open bills and their version from one snapshot."""
        found = self._database.value(
            "SELECT api.open_debts(%(subject)s, %(apartment)s)",
            {"subject": subject, "apartment": apartment_id},
        )
        return None if found is None else read_open_debts(found)

    def history(
        self, *, subject: UUID, apartment_id: UUID, query: HistoryQuery
    ) -> HistoryPage | None:
        """Read a page of the history; a bound of the known range that is None is infinite."""
        found = self._database.value(
            "SELECT api.settled_history(%(subject)s, %(apartment)s, %(after_seq)s,"
            " %(known_from)s::timestamptz, %(known_to)s::timestamptz, %(limit)s)",
            {
                "subject": subject,
                "apartment": apartment_id,
                "after_seq": query.after_seq,
                "limit": query.limit,
                **_known_range(query),
            },
        )
        return None if found is None else read_history_page(found)

    def pay(self, order: PaymentOrder) -> Receipt:
        """Pay in one round trip; see `sql/functions/api/payments.sql` for its order of locks."""
        answer = self._database.value(
            "SELECT api.pay("
            "%(subject)s, %(key)s, %(apartment)s, %(bills)s, %(expected)s, %(stale)s,"
            " coalesce(%(requested_at)s, clock_timestamp()))",
            {
                "subject": order.subject,
                "key": order.request_key,
                "apartment": order.apartment_id,
                "bills": list(order.bills),
                "expected": order.expected_total_minor,
                "stale": order.is_stale,
                "requested_at": order.requested_at,
            },
        )
        if answer["status"] != "done":
            raise Rejection(answer["code"], data=answer.get("data"))
        return read_receipt(answer["data"])

    def register_reply_queue(
        self, *, name: str, subject: UUID | None, lifetime: timedelta
    ) -> timedelta | None:
        """Add the queue to the registry or extend its life."""
        held: timedelta | None = self._database.value(
            "SELECT api.register_reply_queue(%(name)s, %(subject)s, %(lifetime)s)",
            {"name": name, "subject": subject, "lifetime": lifetime},
        )
        return held

    def adopt_reply_queues(self, *, names: Sequence[str], lifetime: timedelta) -> int:
        """Add what the registry lacks."""
        return int(
            self._database.value(
                "SELECT api.adopt_reply_queues(%(names)s, %(lifetime)s)",
                {"names": list(names), "lifetime": lifetime},
            )
        )

    def expired_reply_queues(self, *, prefixes: Sequence[str], limit: int) -> list[str]:
        """Return names whose life has ended."""
        rows = self._database.rows(
            "SELECT name FROM api.expired_reply_queues(%(prefixes)s, %(limit)s)",
            {"prefixes": list(prefixes), "limit": limit},
        )
        return [name for (name,) in rows]

    def claim_reply_queue(self, *, name: str, hold: timedelta) -> bool:
        """Claim the queue if its life has ended."""
        return bool(
            self._database.value(
                "SELECT api.claim_reply_queue(%(name)s, %(hold)s)", {"name": name, "hold": hold}
            )
        )

    def forget_reply_queue(self, *, name: str) -> None:
        """Remove the name from the registry."""
        self._database.rows("SELECT api.forget_reply_queue(%(name)s)", {"name": name})


def _known_range(query: HistoryQuery) -> dict[str, datetime | str | None]:
    if query.known_from is None and query.known_to is None:
        return {"known_from": None, "known_to": None}
    return {
        "known_from": query.known_from or "-infinity",
        "known_to": query.known_to or "infinity",
    }
