"""The ledger's tables at the end of a run, indexed; see tools/chaos/workload/final_state.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tools.chaos.checker.debtors import debtors, is_shown

Row = Mapping[str, Any]


class Ledger:
    """The tables' rows by id, and by what they belong to."""

    def __init__(self, tables: Mapping[str, Sequence[Row]]) -> None:
        self._tables = tables
        self.bills = self._by("bills", "bill_id")
        self.payments = self._by("payments", "payment_id")
        self.providers = self._by("providers", "provider_id")
        self.apartments = self._by("apartments", "apartment_id")
        self.time_zone = next((row["time_zone"] for row in self.rows("deployment")), "UTC")
        # When each reversed payment was reversed.
        self.reversed = {str(r["payment_id"]): r["reversed_at"] for r in self.rows("reversals")}
        self.state = self._by("apartment_state", "apartment_id")
        self.open = {row["bill_id"] for row in self.rows("open_bills")}
        self.settled = {row["bill_id"]: row["payment_id"] for row in self.rows("settled_bills")}
        self.void = {row["bill_id"] for row in self.rows("bill_voids")}
        self.reinstated = {row["bill_id"] for row in self.rows("bill_reinstatements")}
        # A withdrawn bill may be replaced by a later revision: it is gone either way.
        self.gone = self.void | {row["replaces"] for row in self.bills.values() if row["replaces"]}
        self.lines = grouped(self.rows("payment_lines"), "payment_id")
        self.lines_of_bill = grouped(self.rows("payment_lines"), "bill_id")
        self.history = grouped(self.rows("history"), "apartment_id")
        for events in self.history.values():
            events.sort(key=lambda event: int(event["seq"]))
        self.subjects = {row["resident_id"]: row["subject"] for row in self.rows("residents")}
        self._residents = {sub: one for one, sub in self.subjects.items()}
        self._debtors: dict[str, set[str]] = {}
        # Events that only their payer may see.
        self._for_payer_alone = {
            (row["event"], row["payment_id"], row["bill_id"])
            for row in self.rows("history")
            if row.get("for_payer_alone")
        }
        # (user, key) of the request that a payment answers.
        self.requests = {
            row["payment_id"]: (self.subject(row), row["request_key"])
            for row in self.rows("payment_requests")
            if row["payment_id"]
        }

    def rows(self, table: str) -> Sequence[Row]:
        """Return the rows of a table."""
        return self._tables.get(table, [])

    def _by(self, table: str, column: str) -> dict[str, Row]:
        return {str(row[column]): row for row in self.rows(table)}

    def apartment(self, bill_id: str) -> str:
        """Return the apartment that a bill is for, empty for an unknown bill."""
        return str(self.bills.get(bill_id, {}).get("apartment_id", ""))

    def subject(self, row: Row) -> str:
        """Return the sub of a row's resident."""
        return str(self.subjects.get(row["resident_id"]))

    def owes(self, user: str, bill_id: str) -> bool:
        """Whether a bill is one that this user owes."""
        return user in self.debtors(bill_id)

    def debtors(self, bill_id: str) -> set[str]:
        """Return the users who owe a bill."""
        if bill_id not in self._debtors:
            rows = self.rows("residencies")
            found = debtors(self.bills[bill_id], rows, time_zone=self.time_zone)
            self._debtors[bill_id] = {str(self.subjects.get(one)) for one in found}
        return self._debtors[bill_id]

    def is_shown_to(self, user: str, event: Row) -> bool:
        """Whether an event of the history is one that a user may see, once they see that time."""
        payment = self.payments.get(event["payment_id"])
        alone = (event["event"], event["payment_id"], event["bill_id"]) in self._for_payer_alone
        return payment is None or is_shown(
            event,
            payment,
            self._residents.get(user),
            self.rows("residencies"),
            for_payer_alone=alone,
        )

    def rejections(self, user: str) -> int:
        """Count the payments that were rejected and whose answers are stored."""
        rows = self.rows("payment_requests")
        return sum(not row["payment_id"] and self.subject(row) == user for row in rows)

    def sinces(self, user: str, apartment: str) -> list[str]:
        """Return since when a user's residencies in an apartment count."""
        return [
            row["since"]
            for row in self.rows("residencies")
            if row["apartment_id"] == apartment and self.subject(row) == user
        ]


def grouped(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    """Return rows by the value of a column."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[str(row[column])].append(row)
    return found
