"""Made-up runs for the judge: a tale is honest until a test bends it.

A tale keeps toy books and writes down what clients would have seen of them. Tests then take rows
away, change replies or tell things in another order, and see whether the judge notices.
"""

from __future__ import annotations

from typing import Any

from tests.support.toy_books import LONG_AGO, Json, ToyBooks
from tools.chaos.judge import Verdict, assess
from tools.chaos.judge.books import Books
from tools.chaos.judge.case import Case
from tools.chaos.judge.history import History


class Tale(ToyBooks):
    """One run. `ada` lives in `home` from the start; time goes on by a second with each event."""

    def __init__(self) -> None:
        super().__init__()
        self.final: Json = {}
        self.logs: dict[str, str] = {}
        self.secrets: list[Json] = []
        self.apartment("home")
        self.resident("ada", "home")

    # Judging ------------------------------------------------------------------------------------

    def case(self) -> Case:
        """Return it as the judge gets it."""
        return Case(History(self.events), Books(self.tables), self.final, self.logs, self.secrets)

    def verdict(self) -> Verdict:
        """Have it judged."""
        return assess(self.case())

    def broken(self) -> set[str]:
        """Return the invariants that the judge finds broken."""
        return {violation.invariant for violation in self.verdict().violations}

    # Clients ------------------------------------------------------------------------------------

    def ask(
        self,
        op: str = "payments",
        user: str = "ada",
        apartment: str | None = "home",
        *,
        outcome: int = 202,
        **fields: Any,
    ) -> str:
        """Send a request; returns its id. An outcome of 0 means that nobody knows."""
        number, request_id = len(self.events), self.new("request")
        asked: Json = {"key": None, "bills": [], "expected": None, "queue_name": f"queue-{user}"}
        place = {"client": f"client-{user}", "user": user, "apartment": apartment, "op": op}
        self.tell("invoke", id=number, **place, **{**asked, **fields})
        if outcome == 202:
            self.tell("accepted", id=number, request_id=request_id)
        else:
            self.tell("not_accepted", id=number, status=outcome, code=None)
        return request_id

    def reply(
        self,
        request_id: str,
        data: Json | None = None,
        *,
        op: str = "payments",
        code: str | None = None,
        user: str = "ada",
        **fields: Any,
    ) -> Json:
        """Have a client get a reply: done, or rejected when there is a code."""
        body = {
            "request_id": request_id,
            "operation": op,
            "status": "rejected" if code else "done",
            "code": code,
            "message": "",
            "data": data,
            "part": 1,
            "parts": 1,
            **fields,
        }
        place = {"client": f"client-{user}", "user": user, "queue_name": f"queue-{user}"}
        return self.tell("reply", **place, op=op, reply=body)

    def receipt(self, payment_id: str) -> Json:
        """Return a payment as its payer is told."""
        payment = self.row("payments", payment_id=payment_id)
        names = ("payment_id", "receipt_number", "settled_at", "total_minor", "currency")
        lines = [_shown(line) for line in self.lines(payment_id)]
        return {**{name: payment[name] for name in names}, "status": "settled", "lines": lines}

    def pay(self, *bills: str, user: str = "ada", key: str = "key") -> str:
        """Ask, pay and answer; returns the payment's id."""
        place = self.row("bills", bill_id=bills[0])["apartment_id"]
        request_id = self.ask(user=user, apartment=place, bills=list(bills), key=key)
        payment_id = self.book(bills, user=user, key=key)
        self.reply(request_id, self.receipt(payment_id), user=user)
        return payment_id

    def reject(self, code: str, *bills: str, data: Json | None = None, **fields: Any) -> str:
        """Ask for a payment that is rejected; returns the request's id."""
        user = fields.get("user", "ada")
        request_id = self.ask(bills=list(bills), **{"key": "key", **fields})
        named = data if data is not None else {"bills": list(bills)}
        self.reply(request_id, named, code=code, user=user)
        return request_id

    def debts_data(self, apartment: str = "home") -> Json:
        """Return an apartment's debts as they are now."""
        owed = {row["bill_id"] for row in self.tables["open_bills"]}
        rows = [
            {name: row[name] for name in ("bill_id", "amount_minor", "currency", "utility")}
            for row in self.tables["bills"]
            if row["bill_id"] in owed and row["apartment_id"] == apartment
        ]
        return {
            "apartment_id": apartment,
            "version": self.state(apartment)["version"],
            "as_of": self.instant(),
            "currency": "EUR",
            "total_minor": sum(row["amount_minor"] for row in rows),
            "debts": [{**row, "days_overdue": 0} for row in rows],
        }

    def look(self, user: str = "ada", apartment: str = "home", **data: Any) -> str:
        """Read debts; returns the request's id. `data` replaces what is shown."""
        request_id = self.ask("utils", user, apartment)
        self.reply(request_id, {**self.debts_data(apartment), **data}, op="utils", user=user)
        return request_id

    def history_data(self, apartment: str = "home", since: str = LONG_AGO) -> Json:
        """Return the whole history of an apartment as it is now, in one part."""
        rows = [
            row
            for row in self.tables["history"]
            if row["apartment_id"] == apartment and row["posted_at"] >= since
        ]
        return {
            "apartment_id": apartment,
            "version": self.state(apartment)["version"],
            "covered": {"date_down": since, "date_up": self.instant()},
            "cursor": "cursor",
            "more": False,
            "settled_debts": [self._event(row) for row in rows],
        }

    def _event(self, row: Json) -> Json:
        [line] = [n for n in self.lines(row["payment_id"]) if n["bill_id"] == row["bill_id"]]
        names = ("event", "payment_id", "posted_at")
        return {**_shown(line), **{name: row[name] for name in names}}

    def sync(
        self,
        user: str = "ada",
        apartment: str = "home",
        *,
        since: str = LONG_AGO,
        final: bool = True,
    ) -> Json:
        """Sync a copy that holds nothing before; returns the event about it."""
        asked = self.t + 0.5
        request_id = self.ask("histories", user, apartment)
        data = self.history_data(apartment, since)
        self.reply(request_id, data, op="histories", user=user)
        return self.tell(
            "sync",
            client=f"client-{user}",
            user=user,
            apartment=apartment,
            frame=data["covered"],
            events=[[e["event"], e["payment_id"], e["bill_id"]] for e in data["settled_debts"]],
            asked=asked,
            final=final,
        )

    def login(self, user: str = "ada", *apartments: str, **fields: Any) -> str:
        """Log in; returns the request's id."""
        request_id = self.ask("auth", user, None, login="password", **fields)
        listed = [{"apartment_id": one} for one in apartments or ["home"]]
        self.reply(
            request_id, {"tokens": {"sub": user}, "apartments": listed}, op="auth", user=user
        )
        return request_id


def _shown(line: Json) -> Json:
    """Return a payment's line as receipts and events show it."""
    return {
        "bill_id": line["bill_id"],
        "amount_minor": line["amount_minor"],
        "utility": line["utility"],
        "provider": line["provider_name"],
        "provider_id": line["provider_id"],
        "period": {"from": line["period_from"], "to": line["period_to"]},
    }
