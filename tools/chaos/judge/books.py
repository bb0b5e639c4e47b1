"""The books at the end of a run, indexed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

Row = Mapping[str, Any]


class Books:
    """Tables by name, as objects; see tools/chaos/world/evidence.py."""

    def __init__(self, tables: Mapping[str, Sequence[Row]]) -> None:
        self._tables = tables
        self.bills = self._by("bills", "bill_id")
        self.payments = self._by("payments", "payment_id")
        self.reversals = self._by("reversals", "payment_id")
        self.state = self._by("apartment_state", "apartment_id")
        self.open = self._ids("open_bills")
        self.settled = {row["bill_id"]: row["payment_id"] for row in self.rows("settled_bills")}
        self.void = self._ids("bill_voids")
        self.replaced = {row["replaces"] for row in self.rows("bills") if row["replaces"]}
        self.lines = grouped(self.rows("payment_lines"), "payment_id")
        self.lines_of_bill = grouped(self.rows("payment_lines"), "bill_id")
        self.history = grouped(self.rows("history"), "apartment_id")
        self.subjects = {row["resident_id"]: row["subject"] for row in self.rows("residents")}
        for events in self.history.values():
            events.sort(key=lambda event: int(event["seq"]))

    def rows(self, table: str) -> Sequence[Row]:
        """Return the rows of a table."""
        return self._tables.get(table, [])

    def _by(self, table: str, column: str) -> dict[str, Row]:
        return {str(row[column]): row for row in self.rows(table)}

    def _ids(self, table: str) -> set[str]:
        return {row["bill_id"] for row in self.rows(table)}

    def place(self, bill_id: str) -> str:
        """Return the apartment that a bill is for, empty for an unknown bill."""
        return str(self.bills.get(bill_id, {}).get("apartment_id", ""))

    def payer(self, payment: Row) -> str:
        """Return the sub of who paid."""
        return str(self.subjects.get(payment["resident_id"]))

    def sinces(self, user: str, apartment: str) -> list[str]:
        """Return since when a user's residencies in an apartment count."""
        return [
            row["since"]
            for row in self.rows("residencies")
            if self.subjects.get(row["resident_id"]) == user and row["apartment_id"] == apartment
        ]

    def request_of(self, payment_id: str) -> tuple[str, str] | None:
        """Return (user, key) of the request that a payment answers."""
        return self._requests.get(payment_id)

    @cached_property
    def _requests(self) -> dict[str, tuple[str, str]]:
        return {
            row["payment_id"]: (str(self.subjects.get(row["resident_id"])), row["request_key"])
            for row in self.rows("payment_requests")
            if row["payment_id"]
        }


def grouped(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    """Return rows by a column's value."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[str(row[column])].append(row)
    return found
