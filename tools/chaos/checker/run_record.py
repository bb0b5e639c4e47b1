"""All that the checker looks at: the history of a run, the ledger after it, queues and logs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tools.chaos.checker.history import Event, History, Reply, Request, Row
from tools.chaos.checker.residency import ResidencySpans

_NEVER = float("inf")


class Ledger:
    """The ledger's tables at the end of a run, indexed; see tools/chaos/workload/final_state.py."""

    def __init__(self, tables: Mapping[str, Sequence[Row]]) -> None:
        self._tables = tables
        self.bills = self._by("bills", "bill_id")
        self.payments = self._by("payments", "payment_id")
        self.reversed = {str(row["payment_id"]) for row in self.rows("reversals")}
        self.state = self._by("apartment_state", "apartment_id")
        self.open = {row["bill_id"] for row in self.rows("open_bills")}
        self.settled = {row["bill_id"]: row["payment_id"] for row in self.rows("settled_bills")}
        self.void = {row["bill_id"] for row in self.rows("bill_voids")}
        self.reinstated = {row["bill_id"] for row in self.rows("bill_reinstatements")}
        # A withdrawn bill may be replaced by a later revision: it is gone either way.
        self.gone = self.void | {row["replaces"] for row in self.bills.values() if row["replaces"]}
        self.lines = _grouped(self.rows("payment_lines"), "payment_id")
        self.lines_of_bill = _grouped(self.rows("payment_lines"), "bill_id")
        self.history = _grouped(self.rows("history"), "apartment_id")
        for events in self.history.values():
            events.sort(key=lambda event: int(event["seq"]))
        self._subjects = {row["resident_id"]: row["subject"] for row in self.rows("residents")}
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
        return str(self._subjects.get(row["resident_id"]))

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


@dataclass(frozen=True)
class RunRecord:
    """A run as plain data: the events of its history, and what was left after it.

    `tables` are the ledger's rows by table. `final` has `dead_letters`, `waiting` and `replies`.
    `logs` are texts by name, `secrets` objects of kind and value.
    """

    events: Sequence[Event]
    tables: Mapping[str, Sequence[Row]]
    final: Mapping[str, Any] = field(default_factory=dict)
    logs: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[Mapping[str, str]] = ()

    @cached_property
    def history(self) -> History:
        """The events, indexed."""
        return History(self.events)

    @cached_property
    def ledger(self) -> Ledger:
        """The tables, indexed."""
        return Ledger(self.tables)

    @cached_property
    def stays(self) -> ResidencySpans:
        """Who lived where and when."""
        steps = [float(e["t"]) for e in self.history.of("fault") if e["name"] == "clock_back"]
        return ResidencySpans(self.history.operators("grant", "end"), clock_steps=steps)

    @cached_property
    def users(self) -> set[str]:
        """Subs of those whose every request was recorded."""
        return {one.user for one in self.history.requests}

    @cached_property
    def never_paid(self) -> dict[str, list[tuple[float, str]]]:
        """(known to be issued at, bill) of bills that were open ever after, by apartment."""
        found: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for event in self.history.operators("issue", "reinstate"):
            for bill_id in opened_bills(event):
                if bill_id in self.ledger.open and not self.ledger.lines_of_bill.get(bill_id):
                    found[self.ledger.apartment(bill_id)].append((float(event["t"]), bill_id))
        return found

    @cached_property
    def receipts(self) -> dict[str, list[Reply]]:
        """Replies that said "paid", by the apartment of what was paid, in order of time."""
        found: dict[str, list[Reply]] = defaultdict(list)
        for reply in self.history.replies:
            if reply.is_receipt:
                payment = self.ledger.payments.get(reply.data["payment_id"], {})
                found[str(payment.get("apartment_id"))].append(reply)
        return found

    @cached_property
    def _reversals(self) -> dict[str, list[Event]]:
        return _grouped(self.history.operators("reverse"), "payment_id", within="args")

    def reversed_from(self, payment_id: str) -> float:
        """Return when a payment's reversal may first have happened; never is infinite."""
        if payment_id not in self.ledger.reversed:
            return _NEVER
        return min((float(e["t0"]) for e in self._reversals.get(payment_id, [])), default=0.0)

    def reversed_by(self, payment_id: str) -> float:
        """Return by when a payment's reversal was known to have happened; never is infinite."""
        if payment_id not in self.ledger.reversed:
            return _NEVER
        known = [float(e["t"]) for e in self._reversals.get(payment_id, []) if e["answer"]]
        return min(known, default=_NEVER)

    def requests_for(self, payment_id: str) -> list[Request]:
        """Return the requests that may have made a payment, in order of time."""
        owner = self.ledger.requests.get(payment_id)
        if owner is None:
            return []
        return self.history.attempts.get(owner) or self.history.lost_payments.get(owner[0], [])


def load(folder: Path) -> RunRecord:
    """Read what a run left in its folder."""
    final = json.loads((folder / "final.json").read_text("utf-8"))
    return RunRecord(
        events=_lines(folder / "history.jsonl"),
        tables=final["ledger"],
        final=final,
        logs={name: (folder / name).read_text("utf-8", "replace") for name in final["logs"]},
        secrets=_lines(folder / final["secrets"]),
    )


def imported_lines(event: Event) -> list[Mapping[str, Any]]:
    """Return the lines of the answer to an import; none when there was no answer."""
    lines: list[Mapping[str, Any]] = ((event["answer"] or {}).get("data") or {}).get("lines", [])
    return lines


def opened_bills(event: Event) -> list[str]:
    """Return the bills that are owed or paid by the answer to an import or a reinstatement."""
    told = [line["bill_id"] for line in imported_lines(event) if line["result"] != "rejected"]
    answer = event["answer"] or {}
    if event["action"] == "reinstate" and answer.get("status") == "done":
        told.append(answer["data"]["bill_id"])
    return told


def request_ids(messages: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the ids of the requests that some messages hold."""
    return {str(message["attributes"].get("request_id")) for message in messages}


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _grouped(rows: Iterable[Row], column: str, within: str = "") -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[str((row[within] if within else row)[column])].append(row)
    return found
