"""The operators' ledger in Postgres: each method is one function of the schema `api`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from billing_app.adapters.connections import Database
from billing_app.domain.errors import Rejection
from billing_app.domain.instants import parse_instant
from billing_app.ports.clock import CalendarDay
from billing_app.ports.operator_ledger import (
    BillBatch,
    CheckedPage,
    CheckProgress,
    DayOfProvider,
    EndedResidency,
    GrantedResidency,
    LineResult,
    OperatorLedger,
    ReinstatedBill,
    Reversal,
    Violation,
    VoidedBill,
)

Json = dict[str, Any]

# A page of the check is small, whatever the session allows for other statements.
CHECK_SECONDS = 30


class PostgresOperatorLedger(OperatorLedger):
    """`OperatorLedger` on one connection of the operators' role.

    Every method raises `Unavailable` when the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def day_of(self, instant: datetime) -> CalendarDay:
        """Ask Postgres, so that its days and those of SQL are the same."""
        rows = self._database.rows("SELECT day, time_zone FROM api.day_of(%(at)s)", {"at": instant})
        return CalendarDay(*rows[0])

    def day_begins(self, day: date) -> datetime:
        """Ask Postgres, as `day_of` does."""
        begins: datetime = self._database.value("SELECT api.day_begins(%(day)s)", {"day": day})
        return begins

    def add_resident(self, *, subject: UUID, name: str) -> None:
        """Add a resident."""
        self._call("add_resident", subject, name)

    def add_apartment(self, *, apartment_id: UUID, address: str) -> bool:
        """Add an apartment."""
        return bool(self._call("add_apartment", apartment_id, address)["is_new"])

    def grant_residency(
        self, *, subject: UUID, apartment_id: UUID, since: datetime | None
    ) -> GrantedResidency:
        """Let a resident act for an apartment."""
        data = self._call("grant_residency", subject, apartment_id, since)
        return GrantedResidency(subject, apartment_id, parse_instant(data["since"]))

    def end_residency(
        self, *, subject: UUID, apartment_id: UUID, by_mistake: bool = False
    ) -> EndedResidency:
        """End a resident's right to an apartment."""
        data = self._call("end_residency", subject, apartment_id, by_mistake)
        return EndedResidency(subject, apartment_id, parse_instant(data["ended_at"]))

    def add_provider(self, *, provider_id: str, name: str) -> str | None:
        """Add or rename a provider."""
        former_name: str | None = self._call("add_provider", provider_id, name)["former_name"]
        return former_name

    def issue_bills(self, *, batch: BillBatch) -> list[LineResult]:
        """Issue the batch in one round trip."""
        answer = self._database.value(
            "SELECT api.issue_bills(%(batch)s::jsonb)", {"batch": json.dumps(batch_data(batch))}
        )
        return [line_result(line) for line in _data(answer)["lines"]]

    def void_bill(self, *, bill_id: UUID, reason: str, operator: str) -> VoidedBill:
        """Withdraw an open bill."""
        data = self._call("void_bill", bill_id, reason, operator)
        return VoidedBill(bill_id, UUID(data["apartment_id"]), parse_instant(data["voided_at"]))

    def reinstate_bill(
        self, *, bill_id: UUID, reason: str, operator: str, allow_duplicates: bool
    ) -> ReinstatedBill:
        """Take back a void."""
        data = self._call("reinstate_bill", bill_id, reason, operator, allow_duplicates)
        return ReinstatedBill(
            bill_id=UUID(data["bill_id"]),
            replaces=bill_id,
            apartment_id=UUID(data["apartment_id"]),
            reinstated_at=parse_instant(data["reinstated_at"]),
        )

    def reverse_payment(self, *, payment_id: UUID, reason: str, operator: str) -> Reversal:
        """Undo a payment."""
        data = self._call("reverse_payment", payment_id, reason, operator)
        return Reversal(
            reversal_id=UUID(data["reversal_id"]),
            payment_id=payment_id,
            receipt_number=data["receipt_number"],
            reversed_at=parse_instant(data["reversed_at"]),
            total_minor=data["total_minor"],
            currency=data["currency"],
            bills=[UUID(bill) for bill in data["bills"]],
        )

    def reconcile(self, *, first_day: date, last_day: date) -> Sequence[DayOfProvider]:
        """Read the sums in one snapshot."""
        rows = self._database.rows(
            "SELECT provider_id, day, currency, payments_minor, lines_minor, bills_minor,"
            " reversed_minor, agrees FROM api.reconcile(%(first)s, %(last)s)"
            " ORDER BY day, provider_id, currency",
            {"first": first_day, "last": last_day},
        )
        return [DayOfProvider(*row) for row in rows]

    def check_apartment(self, *, apartment_id: UUID) -> CheckedPage:
        """Check an apartment."""
        return _checked_page(self._call("check_apartment", apartment_id))

    def check_apartments(self, *, kind: str | None, first: UUID, limit: int) -> CheckedPage:
        """Check a page in one transaction."""
        page = self._database.value(
            f"SET LOCAL statement_timeout = '{CHECK_SECONDS}s';"
            " SELECT api.check_apartments(%(kind)s, %(first)s, %(limit)s)",
            {"kind": kind, "first": first, "limit": limit},
        )
        return _checked_page(page)

    def check_progress(self) -> CheckProgress:
        """Read how far the check has come."""
        told = self._database.value("SELECT api.check_progress()", {})
        return CheckProgress(
            apartments=told["apartments"],
            waiting=told["waiting"],
            oldest=parse_instant(told["oldest"]) if told["oldest"] else None,
            positions={name: UUID(position) for name, position in told["positions"].items()},
        )

    def _call(self, function: str, *arguments: object) -> Json:
        """Call a function of the schema `api` and return its data.

        Raises:
            Rejection: the function rejected.
        """
        parameters = {f"p{number}": value for number, value in enumerate(arguments)}
        places = ", ".join(f"%({name})s" for name in parameters)
        return _data(self._database.value(f"SELECT api.{function}({places})", parameters))


def _checked_page(page: Mapping[str, Any]) -> CheckedPage:
    violations = [Violation(v["rule"], v["subject"], v["detail"]) for v in page["violations"]]
    return CheckedPage(page["checked"], page["next"] and UUID(page["next"]), violations)


def _data(answer: Mapping[str, Any]) -> Json:
    if answer["status"] != "done":
        raise Rejection(answer["code"], data=answer.get("data"))
    return answer.get("data") or {}


def batch_data(batch: BillBatch) -> Json:
    """Write a batch as the JSON that the database and the import function read."""
    return {
        "import_id": str(batch.import_id),
        "file_name": batch.file_name,
        "sha256": batch.sha256,
        "dry_run": batch.dry_run,
        "allow_duplicates": batch.allow_duplicates,
        "lines": [
            {key: _plain(value) for key, value in asdict(one).items()} for one in batch.lines
        ],
    }


def line_result(line: Mapping[str, Any]) -> LineResult:
    """Read what became of a line from JSON."""
    bill_id = line.get("bill_id")
    return LineResult(
        line=line["line"],
        result=line["result"],
        code=line.get("code"),
        bill_id=UUID(bill_id) if bill_id else None,
        provider_reference=line.get("provider_reference"),
    )


def _plain(value: object) -> object:
    return value if isinstance(value, int | str) else str(value)
