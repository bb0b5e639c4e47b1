"""The operators' side of the books in Postgres: each method is one function of the schema `api`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from billing_app.adapters.connections import Database
from billing_app.domain.errors import Rejection
from billing_app.ports.operator_ledger import (
    BillBatch,
    Data,
    DayOfProvider,
    LineResult,
    OperatorLedger,
    Violation,
)


class PostgresOperatorLedger(OperatorLedger):
    """`Office` on one connection of the operators' role.

    Every method raises Unavailable when the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_resident(self, *, subject: UUID, name: str) -> Data:
        """Add a resident."""
        return self._ask(
            "SELECT api.add_resident(%(subject)s, %(name)s)", subject=subject, name=name
        )

    def add_apartment(self, *, apartment_id: UUID, address: str) -> Data:
        """Add an apartment."""
        return self._ask(
            "SELECT api.add_apartment(%(apartment)s, %(address)s)",
            apartment=apartment_id,
            address=address,
        )

    def grant_residency(self, *, subject: UUID, apartment_id: UUID, since: datetime) -> Data:
        """Let a resident act for an apartment."""
        return self._ask(
            "SELECT api.grant_residency(%(subject)s, %(apartment)s, %(since)s)",
            subject=subject,
            apartment=apartment_id,
            since=since,
        )

    def end_residency(self, *, subject: UUID, apartment_id: UUID) -> Data:
        """End a resident's right to an apartment."""
        return self._ask(
            "SELECT api.end_residency(%(subject)s, %(apartment)s)",
            subject=subject,
            apartment=apartment_id,
        )

    def add_provider(self, *, provider_id: str, name: str) -> Data:
        """Add or rename a provider."""
        return self._ask(
            "SELECT api.add_provider(%(provider)s, %(name)s)", provider=provider_id, name=name
        )

    def issue_bills(self, *, batch: BillBatch) -> list[LineResult]:
        """Issue the batch in one round trip."""
        data = self._ask(
            "SELECT api.issue_bills(%(batch)s::jsonb)", batch=json.dumps(batch_data(batch))
        )
        return [line_result(line) for line in data["lines"]]

    def void_bill(self, *, bill_id: UUID, reason: str, operator: str) -> Data:
        """Withdraw an open bill."""
        return self._ask(
            "SELECT api.void_bill(%(bill)s, %(reason)s, %(operator)s)",
            bill=bill_id,
            reason=reason,
            operator=operator,
        )

    def reverse_payment(self, *, payment_id: UUID, reason: str, operator: str) -> Data:
        """Undo a payment."""
        return self._ask(
            "SELECT api.reverse_payment(%(payment)s, %(reason)s, %(operator)s)",
            payment=payment_id,
            reason=reason,
            operator=operator,
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

    def violations(self) -> Sequence[Violation]:
        """Read what rules are broken."""
        rows = self._database.rows("SELECT rule, subject, detail FROM api.violations()", {})
        return [Violation(*row) for row in rows]

    def _ask(self, statement: str, **parameters: object) -> Data:
        answer = self._database.value(statement, parameters)
        if answer["status"] != "done":
            raise Rejection(answer["code"], data=answer.get("data"))
        data: Data = answer.get("data") or {}
        return data


def batch_data(batch: BillBatch) -> Data:
    """Write a batch as the JSON that the database and the import function read."""
    return {
        "import_id": str(batch.import_id),
        "file_name": batch.file_name,
        "sha256": batch.sha256,
        "dry_run": batch.dry_run,
        "lines": [
            {key: _plain(value) for key, value in asdict(one).items()} for one in batch.lines
        ],
    }


def line_result(line: Mapping[str, Any]) -> LineResult:
    """Read what became of a line from JSON."""
    bill_id = line.get("bill_id")
    return LineResult(
        line["line"], line["result"], line.get("code"), UUID(bill_id) if bill_id else None
    )


def _plain(value: object) -> object:
    return value if isinstance(value, int | str) else str(value)
