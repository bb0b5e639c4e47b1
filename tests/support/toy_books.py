"""Toy books for made-up runs: what office and payments leave in the tables.

Ids are words, so that what a judge says of them can be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tools.chaos.world.evidence import TABLES

Json = dict[str, Any]

LONG_AGO = "2020-01-01T00:00:00.000000Z"


class ToyBooks:
    """Rows as the database would have them, and events of the office that made them."""

    def __init__(self) -> None:
        self.events: list[Json] = []
        self.tables: dict[str, list[Json]] = {name: [] for name in TABLES}
        self.t = 0.0
        self._numbers: Counter[str] = Counter()

    # Writing down -------------------------------------------------------------------------------

    def new(self, kind: str) -> str:
        """Return an id such as bill-1."""
        self._numbers[kind] += 1
        return f"{kind}-{self._numbers[kind]}"

    def tell(self, e: str, **fields: Any) -> Json:
        """Add an event a second after the one before."""
        self.t += 1.0
        event = {"e": e, "t": self.t, **fields}
        self.events.append(event)
        return event

    def call(self, action: str, args: Json, data: Json | None, **fields: Any) -> Json:
        """Add a call of the office that took half a second; by default it was done."""
        answer = {"status": "done", "data": data}
        given = {"answer": answer, "attempts": 1, "unknown": False, "t0": self.t + 0.5, **fields}
        return self.tell("office", action=action, args=args, **given)

    def instant(self) -> str:
        """Return an instant later than all before."""
        self._numbers["instant"] += 1
        return f"2026-11-22T10:00:00.{self._numbers['instant']:06}Z"

    # Office -------------------------------------------------------------------------------------

    def apartment(self, apartment: str) -> str:
        """Add an apartment."""
        state = {"version": 1, "last_seq": 0, "last_posted_at": None}
        self.tables["apartment_state"].append({"apartment_id": apartment, **state})
        self.call("add_apartment", {"apartment": apartment}, None)
        return apartment

    def resident(self, user: str, apartment: str | None = None) -> str:
        """Add a resident, and let them have an apartment since long ago."""
        self.tables["residents"].append({"resident_id": f"resident-{user}", "subject": user})
        if apartment is not None:
            self.grant(user, apartment)
        return user

    def grant(self, user: str, apartment: str, since: str = LONG_AGO) -> Json:
        """Let a resident have an apartment."""
        self.state(apartment)["version"] += 1
        row = {"resident_id": f"resident-{user}", "apartment_id": apartment, "since": since}
        self.tables["residencies"].append({**row, "ended_at": None})
        return self.call("grant", {"user": user, "apartment": apartment}, {"since": since})

    def end(self, user: str, apartment: str) -> Json:
        """Take an apartment from a resident."""
        self.state(apartment)["version"] += 1
        for row in self.tables["residencies"]:
            if (row["resident_id"], row["apartment_id"]) == (f"resident-{user}", apartment):
                row["ended_at"] = row["ended_at"] or self.instant()
        return self.call("end", {"user": user, "apartment": apartment}, {})

    def state(self, apartment: str) -> Json:
        """Return an apartment's state row."""
        return self.row("apartment_state", apartment_id=apartment)

    def row(self, table: str, **columns: Any) -> Json:
        """Return the one row with these values."""
        wanted = columns.items()
        [row] = [row for row in self.tables[table] if wanted <= row.items()]
        return row

    def drop(self, table: str, **columns: Any) -> None:
        """Take the rows with these values away."""
        wanted = columns.items()
        self.tables[table] = [row for row in self.tables[table] if not wanted <= row.items()]

    def bill(self, apartment: str = "home", amount: int = 100, **columns: Any) -> str:
        """Issue a bill, by default of EUR."""
        bill_id = self.new("bill")
        self.tables["bills"].append(
            {
                "bill_id": bill_id,
                "apartment_id": apartment,
                "amount_minor": amount,
                "currency": "EUR",
                "utility": "gas",
                "provider_id": "northgas",
                "period_from": "2026-10-01",
                "period_to": "2026-10-31",
                "replaces": None,
                "import_id": self.new("import"),
                **columns,
            }
        )
        self._open(bill_id)
        self.state(apartment)["version"] += 1
        result = "revised" if columns.get("replaces") else "issued"
        line = {"line": 1, "result": result, "code": None, "bill_id": bill_id}
        self.call("issue", {"lines": [{"apartment_id": apartment}]}, {"lines": [line]})
        return bill_id

    def _open(self, bill_id: str) -> None:
        self.tables["open_bills"].append({"bill_id": bill_id})

    def revise(self, bill_id: str, amount: int) -> str:
        """Replace an open bill."""
        self.drop("open_bills", bill_id=bill_id)
        place = self.row("bills", bill_id=bill_id)["apartment_id"]
        return self.bill(place, amount, replaces=bill_id)

    def void(self, bill_id: str) -> Json:
        """Withdraw an open bill."""
        self.drop("open_bills", bill_id=bill_id)
        self.tables["bill_voids"].append({"bill_id": bill_id})
        self.state(self.row("bills", bill_id=bill_id)["apartment_id"])["version"] += 1
        return self.call("void", {"bill_id": bill_id}, {"bill_id": bill_id})

    def reverse(self, payment_id: str, **fields: Any) -> Json:
        """Take a payment back."""
        self.tables["reversals"].append({"payment_id": payment_id})
        bills = [line["bill_id"] for line in self.lines(payment_id)]
        self._post("reversal", payment_id, bills)
        for bill_id in bills:
            self.drop("settled_bills", bill_id=bill_id)
            self._open(bill_id)
        return self.call("reverse", {"payment_id": payment_id}, {"bills": bills}, **fields)

    def lines(self, payment_id: str) -> list[Json]:
        """Return a payment's lines."""
        return [r for r in self.tables["payment_lines"] if r["payment_id"] == payment_id]

    def book(self, bills: Iterable[str], *, user: str = "ada", key: str) -> str:
        """Make a payment in the books; nobody is told."""
        payment_id, bills = self.new("payment"), list(bills)
        rows = [self.row("bills", bill_id=bill_id) for bill_id in bills]
        place = rows[0]["apartment_id"]
        for row in rows:
            self._settle(payment_id, row)
        settled_at = self._post("payment", payment_id, bills)
        self.tables["payments"].append(
            {
                "payment_id": payment_id,
                "receipt_number": f"R-{payment_id}",
                "resident_id": f"resident-{user}",
                "apartment_id": place,
                "total_minor": sum(row["amount_minor"] for row in rows),
                "currency": rows[0]["currency"],
                "settled_at": settled_at,
            }
        )
        owner = {"resident_id": f"resident-{user}", "request_key": key}
        self.tables["payment_requests"].append({**owner, "payment_id": payment_id})
        return payment_id

    def _settle(self, payment_id: str, bill: Json) -> None:
        copied = (
            "bill_id apartment_id amount_minor currency utility provider_id period_from period_to"
        )
        line = {name: bill[name] for name in copied.split()}
        self.tables["payment_lines"].append(
            {"payment_id": payment_id, "provider_name": "North Gas", **line}
        )
        self.drop("open_bills", bill_id=bill["bill_id"])
        settled = {"bill_id": bill["bill_id"], "payment_id": payment_id}
        self.tables["settled_bills"].append(settled)

    def _post(self, event: str, payment_id: str, bills: Iterable[str]) -> str:
        place = self.lines(payment_id)[0]["apartment_id"]
        state, first = self.state(place), ""
        state["version"] += 1
        for bill_id in bills:
            state["last_seq"] += 1
            state["last_posted_at"] = self.instant()
            first = first or state["last_posted_at"]
            self.tables["history"].append(
                {
                    "apartment_id": place,
                    "seq": state["last_seq"],
                    "posted_at": state["last_posted_at"],
                    "event": event,
                    "payment_id": payment_id,
                    "bill_id": bill_id,
                }
            )
        return first
