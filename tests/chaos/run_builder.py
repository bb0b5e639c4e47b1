"""Builds run records for the checker: a run is valid until a test breaks it.

The builder keeps a small ledger and records what clients would have seen of it. Tests then remove
rows, change replies, or go on with what must not happen. Ids are words, so that tests and findings
are easy to read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tools.chaos.checker import Result, RunRecord, check, rebuilt
from tools.chaos.checker.ledger import Ledger
from tools.chaos.workload.final_state import TABLES

Json = dict[str, Any]

LONG_AGO = "2020-01-01T00:00:00.000000Z"
_BILL = {
    "amount_minor": 100,
    "currency": "EUR",
    "utility": "gas",
    "provider_id": "northgas",
    "period_from": "2026-10-01",
    "period_to": "2026-10-31",
    "due_on": "2026-11-15",
}
# Where the rows of an answer are, by operation: each row may come in a part of its own.
_ROWS = {"payments": "lines", "utils": "debts", "histories": "settled_debts"}


class RunBuilder:
    """One run. `ada` lives in `home` from the start; each event comes a second after the last."""

    def __init__(self) -> None:
        self.events: list[Json] = []
        self.tables: dict[str, list[Json]] = {name: [] for name in TABLES}
        self.final: Json = {}
        self.logs: dict[str, str] = {}
        self.secrets: list[Json] = []
        # Events of sending a request, by its id.
        self.sent: dict[str, Json] = {}
        self.t = 0.0
        self._numbers: Counter[str] = Counter()
        self.add("deployment", time_zone="Pacific/Auckland")
        self.add("providers", provider_id="northgas", name="North Gas")
        self.apartment("home")
        self.resident("ada", "home")

    @property
    def ledger(self) -> Ledger:
        """The ledger as it is now."""
        return Ledger(self.tables)

    def result(self) -> Result:
        """Check the run."""
        return check(RunRecord(self.events, self.tables, self.final, self.logs, self.secrets))

    def broken(self) -> set[str]:
        """Return the invariants that the checker finds broken."""
        return {violation.invariant for violation in self.result().violations}

    def new(self, kind: str) -> str:
        """Return an id such as bill-1."""
        self._numbers[kind] += 1
        return f"{kind}-{self._numbers[kind]}"

    def instant(self) -> str:
        """Return an instant later than all before."""
        self._numbers["instant"] += 1
        return f"2026-11-22T10:00:00.{self._numbers['instant']:06}Z"

    def event(self, e: str, **fields: Any) -> Json:
        """Add an event a second after the one before."""
        self.t += 1.0
        self.events.append({"e": e, "t": self.t, **fields})
        return self.events[-1]

    # What tests change ----------------------------------------------------------------------------

    def row(self, table: str, **columns: Any) -> Json:
        """Return the one row with these values."""
        [row] = [row for row in self.tables[table] if columns.items() <= row.items()]
        return row

    def add(self, table: str, **columns: Any) -> None:
        """Add a row."""
        self.tables[table].append(columns)

    def drop(self, table: str, **columns: Any) -> None:
        """Remove the rows with these values."""
        self.tables[table] = [r for r in self.tables[table] if not columns.items() <= r.items()]

    def state(self, apartment: str = "home") -> Json:
        """Return an apartment's state row."""
        return self.row("apartment_state", apartment_id=apartment)

    def came(self, request_id: str) -> Json:
        """Return the event of the first reply to a request."""
        replies = (event for event in self.events if event["e"] == "reply")
        return next(event for event in replies if event["reply"]["request_id"] == request_id)

    def data(self, request_id: str) -> Any:
        """Return the data of the first reply to a request."""
        return self.came(request_id)["reply"]["data"]

    # Operators ------------------------------------------------------------------------------------

    def call(self, action: str, args: Json, data: Json | None, **fields: Any) -> Json:
        """Add an operator's call that took half a second; by default it was done."""
        answer = {"status": "done", "data": data}
        given = {"answer": answer, "attempts": 1, "unknown": False, "t0": self.t + 0.5, **fields}
        return self.event("operator", action=action, args=args, **given)

    def apartment(self, apartment: str) -> None:
        """Add an apartment."""
        self.add("apartments", apartment_id=apartment, address="1 Main Street")
        self.add(
            "apartment_state", apartment_id=apartment, version=1, last_seq=0, last_posted_at=None
        )
        self.call("add_apartment", {"apartment": apartment}, None)

    def resident(self, user: str, apartment: str, since: str | None = LONG_AGO) -> None:
        """Add a resident who has an apartment."""
        self.add("residents", resident_id=f"resident-{user}", subject=user)
        self.grant(user, apartment, since)

    def grant(self, user: str, apartment: str, since: str | None = LONG_AGO) -> Json:
        """Let a resident have an apartment, from now on when `since` is None."""
        self.state(apartment)["version"] += 1
        begins = since or self.instant()
        place = {"resident_id": f"resident-{user}", "apartment_id": apartment}
        self.add("residencies", **place, since=begins, ended_at=None)
        args = {"user": user, "apartment": apartment, "since": since}
        return self.call("grant", args, {"since": begins})

    def end(self, user: str, apartment: str) -> Json:
        """End a residency."""
        self.state(apartment)["version"] += 1
        place = {"resident_id": f"resident-{user}", "apartment_id": apartment}
        self.row("residencies", **place, ended_at=None).update(ended_at=self.instant())
        return self.call("end", {"user": user, "apartment": apartment}, {})

    def bill(self, name: str | None = None, apartment: str = "home", **columns: Any) -> str:
        """Issue a bill; returns its id, which is its name."""
        bill_id = name or self.new("bill")
        replaces, import_id = columns.pop("replaces", None), self.new("import")
        line = {"apartment_id": apartment, **_BILL, **columns}
        self.add("bills", **line, bill_id=bill_id, import_id=import_id, replaces=replaces)
        self.add("open_bills", bill_id=bill_id)
        self.state(apartment)["version"] += 1
        result = "revised" if replaces else "issued"
        answer = {"lines": [{"result": result, "bill_id": bill_id}]}
        self.call("issue", {"file": {"import_id": import_id, "lines": [line]}}, answer)
        return bill_id

    def revise(self, bill_id: str, name: str) -> None:
        """Replace an open bill of the home by one of another amount."""
        self.drop("open_bills", bill_id=bill_id)
        self.bill(name, amount_minor=300, replaces=bill_id)

    def void(self, bill_id: str) -> None:
        """Withdraw an open bill."""
        self.drop("open_bills", bill_id=bill_id)
        self.add("bill_voids", bill_id=bill_id)
        self.state(self.row("bills", bill_id=bill_id)["apartment_id"])["version"] += 1
        self.call("void", {"bill_id": bill_id}, {"bill_id": bill_id})

    def reinstate(self, bill_id: str, name: str) -> None:
        """Take back a void."""
        row = {**self.row("bills", bill_id=bill_id), "bill_id": name, "replaces": bill_id}
        self.add("bills", **row)
        self.add("open_bills", bill_id=name)
        self.add("bill_reinstatements", bill_id=bill_id)
        self.state(row["apartment_id"])["version"] += 1
        self.call("reinstate", {"bill_id": bill_id}, {"bill_id": name, "replaces": bill_id})

    def reverse(self, payment_id: str) -> None:
        """Reverse a payment and tell the operator."""
        self.book_reversal(payment_id)
        self.call("reverse", {"payment_id": payment_id}, {})

    # The ledger -----------------------------------------------------------------------------------

    def book_reversal(self, payment_id: str) -> None:
        """Reverse a payment in the ledger; nobody is told."""
        at = self.instant()
        self.add("reversals", payment_id=payment_id, reversed_at=at)
        self._post(rebuilt.events(self.ledger, self._payment(payment_id), reversed_at=at))
        for line in self.lines(payment_id):
            self.drop("settled_bills", bill_id=line["bill_id"])
            self.add("open_bills", bill_id=line["bill_id"])

    def book(self, bills: Iterable[str], *, user: str = "ada", key: str) -> str:
        """Make a payment in the ledger; nobody is told. Returns its id."""
        payment_id, bills = self.new("payment"), list(bills)
        rows = [self.row("bills", bill_id=bill_id) for bill_id in bills]
        for row in rows:
            line = {**row, "payment_id": payment_id, "provider_name": "North Gas"}
            self.add("payment_lines", **line)
            self.drop("open_bills", bill_id=row["bill_id"])
            self.add("settled_bills", bill_id=row["bill_id"], payment_id=payment_id)
        owner = {"payment_id": payment_id, "resident_id": f"resident-{user}"}
        self.add(
            "payments",
            **owner,
            receipt_number=f"R-{payment_id}",
            apartment_id=rows[0]["apartment_id"],
            total_minor=sum(row["amount_minor"] for row in rows),
            currency=rows[0]["currency"],
            settled_at=self.instant(),
        )
        self._post(rebuilt.events(self.ledger, self._payment(payment_id)))
        self.add("payment_requests", **owner, request_key=key)
        return payment_id

    def _payment(self, payment_id: str) -> Json:
        return self.row("payments", payment_id=payment_id)

    def lines(self, payment_id: str) -> list[Json]:
        """Return a payment's lines."""
        return [r for r in self.tables["payment_lines"] if r["payment_id"] == payment_id]

    def _post(self, events: Iterable[Json]) -> None:
        """Add events to the history, a microsecond after each other."""
        for event in events:
            place = {name: event[name] for name in ("posted_at", "event", "payment_id", "bill_id")}
            apartment = self.ledger.apartment(event["bill_id"])
            state = self.state(apartment)
            state.update(last_seq=state["last_seq"] + 1, last_posted_at=event["posted_at"])
            self.add("history", apartment_id=apartment, seq=state["last_seq"], **place)
            self._numbers["instant"] += 1
        state["version"] += 1

    # Clients --------------------------------------------------------------------------------------

    def ask(
        self,
        op: str = "payments",
        user: str = "ada",
        apartment: str | None = "home",
        *,
        name: str | None = None,
        outcome: int = 202,
        **fields: Any,
    ) -> str:
        """Send a request; returns its id (`name`). An outcome of 0 means that nobody knows."""
        number, request_id = len(self.events), name or self.new("request")
        asked: Json = {"key": None, "bills": [], "expected": None, "queue_name": f"queue-{user}"}
        place = {"client": f"client-{user}", "user": user, "apartment": apartment, "op": op}
        self.sent[request_id] = self.event("invoke", id=number, **place, **{**asked, **fields})
        if outcome == 202:
            self.event("accepted", id=number, request_id=request_id)
        else:
            self.event("not_accepted", id=number, status=outcome, code=None)
        return request_id

    def reply(
        self, request_id: str, data: Json | None = None, *, code: str | None = None, **fields: Any
    ) -> Json:
        """Have a client get the reply to what it asked: done, or rejected when there is a code."""
        asked, status = self.sent[request_id], "rejected" if code else "done"
        said = {"status": status, "code": code, "message": "", "data": data, "part": 1, "parts": 1}
        body = {"request_id": request_id, "operation": asked["op"], **said, **fields}
        place = {name: asked[name] for name in ("client", "user", "queue_name", "op")}
        return self.event("reply", **place, reply=body)

    def reply_in_parts(self, request_id: str, data: Json, *parts: int) -> None:
        """Have a client get some parts of an answer, each of which has one row."""
        name = _ROWS[self.sent[request_id]["op"]]
        for part in parts:
            one = {**data, name: [data[name][part - 1]]}
            self.reply(request_id, one, part=part, parts=len(data[name]))

    def pay(
        self, *bills: str, user: str = "ada", key: str | None = "key", name: str | None = None
    ) -> str:
        """Ask, pay and answer, a bill a part; returns the payment's id."""
        apartment = self.row("bills", bill_id=bills[0])["apartment_id"]
        request_id = self.ask("payments", user, apartment, name=name, bills=list(bills), key=key)
        payment_id = self.book(bills, user=user, key=key or request_id)
        parts = range(1, len(bills) + 1)
        self.reply_in_parts(request_id, self.receipt(payment_id), *parts)
        return payment_id

    def receipt(self, payment_id: str) -> Json:
        """Return a payment as its payer sees it."""
        return rebuilt.receipt(self.ledger, self._payment(payment_id))

    def reject(self, code: str, *bills: str, data: Json | None = None, **fields: Any) -> None:
        """Ask for something that is rejected: a payment, unless `op` says what else."""
        request_id = self.ask(bills=list(bills), **{"key": "key" if bills else None, **fields})
        if code.startswith("bill_") and data is None:
            data = {"bills": list(bills), "bills_count": len(bills)}
        self.reply(request_id, data, code=code)

    def debts(self, apartment: str = "home", *, as_of: str | None = None) -> Json:
        """Return an apartment's debts as they are now."""
        ledger, at = self.ledger, as_of or self.instant()
        owed = [bill for bill in ledger.open if ledger.apartment(bill) == apartment]
        head = {"version": self.state(apartment)["version"], "as_of": at}
        return {"apartment_id": apartment, **head, **rebuilt.debts(ledger, owed, as_of=at)}

    def look(
        self, user: str = "ada", apartment: str = "home", *, name: str | None = None, **data: Any
    ) -> str:
        """Read debts; returns the request's id. `data` replaces what is shown."""
        request_id = self.ask("utils", user, apartment, name=name)
        self.reply(request_id, {**self.debts(apartment), **data})
        return request_id

    def history_rows(self) -> list[Json]:
        """Return the whole history of the home as it is now."""
        ledger, events = self.ledger, []
        for payment in self.tables["payments"]:
            if payment["apartment_id"] == "home":
                events += rebuilt.events(ledger, payment)
                if at := ledger.reversed.get(payment["payment_id"]):
                    events += rebuilt.events(ledger, payment, reversed_at=at)
        return sorted(events, key=lambda event: str(event["posted_at"]))

    def history(self, since: str = LONG_AGO) -> Json:
        """Return the history of the home since then as it is now, in one part."""
        end = self.state()["last_posted_at"]
        return {
            "apartment_id": "home",
            "version": self.state()["version"],
            "covered": {"date_down": since, "date_up": max(since, rebuilt.later(end or since))},
            "cursor": "cursor",
            "more": False,
            "settled_debts": [one for one in self.history_rows() if one["posted_at"] >= since],
        }

    def sync(self, since: str = LONG_AGO, *, final: bool = True, name: str | None = None) -> Json:
        """Sync a copy of ada's that holds nothing before; returns the event about it."""
        asked, data = round(self.t + 0.5, 6), self.history(since)
        self.reply(self.ask("histories", name=name), data)
        held = [[e["event"], e["payment_id"], e["bill_id"]] for e in data["settled_debts"]]
        copy = {"apartment": "home", "frame": dict(data["covered"]), "events": held}
        return self.event("sync", client="client-ada", user="ada", asked=asked, final=final, **copy)

    def login(self, user: str = "ada", *apartments: str, **fields: Any) -> str:
        """Log in; returns the request's id."""
        request_id = self.ask("auth", user, None, **{"login": "password", **fields})
        own = [{"apartment_id": one, "former": False} for one in apartments or ["home"]]
        listed = rebuilt.addresses(self.ledger, own)
        data = {"resident": {"name": user}, "tokens": {"sub": user}, "apartments": listed}
        self.reply(request_id, data)
        return request_id
