"""Operators: they issue, correct and withdraw bills, reverse payments and move residents.

They call the database's functions and always learn the outcome. A connection that breaks leaves it
unknown; the call is then repeated, which is safe: an import is known by its file, and a second
void, reinstatement, reversal, grant or end is told that it was done already. Each call is one
event, from before the first attempt (`t0`) to the answer.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import psycopg2
from psycopg2 import extras
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

from tools.chaos.workload.http import Json
from tools.chaos.workload.recorder import Canaries, Recorder
from tools.chaos.workload.shared import SentBill, SharedState

Connect = Callable[[], Connection]

LONG_AGO = "2020-01-01T00:00:00Z"
_PAUSE_SECONDS = 0.3
_LOST = (psycopg2.OperationalError, psycopg2.InterfaceError)

# A name so long that a list of its bills does not fit into one reply.
LONG_NAME = "longname"
PROVIDERS = {
    "northgas": "North Gas",
    "citywater": "City Water",
    "voltair": "Voltair",
    LONG_NAME: ("Энергосбытовая компания " * 9)[:200],
}
_UTILITY = {"northgas": "gas", "citywater": "water", "voltair": "electricity", LONG_NAME: "gas"}
_USUAL = ("citywater", "northgas", "voltair")


class Operator:
    """One operator's connection; each has a thread of its own. `give_up` ends repetition."""

    def __init__(self, connect: Connect, recorder: Recorder, give_up: threading.Event) -> None:
        self._connect = connect
        self._recorder = recorder
        self._give_up = give_up
        self._connection: Connection | None = None

    def close(self) -> None:
        """Close the connection."""
        kept, self._connection = self._connection, None
        if kept is not None:
            kept.close()

    def call(self, action: str, function: str, *more: Any, **args: Any) -> Json | None:
        """Call a function with `args`, which are recorded, and `more`, which is not.

        Repeats it until there is an answer; None when the run ended before there was one.
        """
        began, attempts = self._recorder.now(), 1
        while (answer := self._attempt(function, [*args.values(), *more])) is None:
            if self._give_up.wait(_PAUSE_SECONDS):
                break
            attempts += 1
        told = {"t0": round(began, 6), "attempts": attempts, "unknown": answer is None}
        self._recorder.record("operator", action=action, args=args, answer=answer, **told)
        return answer

    def _attempt(self, function: str, arguments: Sequence[Any]) -> Json | None:
        places = ", ".join(["%s"] * len(arguments))
        values = [extras.Json(one) if isinstance(one, dict) else one for one in arguments]
        try:
            if self._connection is None:
                self._connection = self._connect()
                self._connection.autocommit = True
            with self._connection.cursor() as cursor:
                cursor.execute(f"SELECT api.{function}({places})", values)
                row = cursor.fetchone()
        except _LOST:
            self.close()
            return None
        answer: Json | None = None if row is None else row[0]
        return answer


class BillingWorker:
    """Issues, revises, voids and reinstates bills; reverses payments."""

    def __init__(
        self, operator: Operator, shared: SharedState, seed: str, apartments: Sequence[str]
    ) -> None:
        self._operator = operator
        self._shared = shared
        self._rng = random.Random(seed)
        self._apartments = apartments
        self._voided: list[SentBill] = []

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop."""
        try:
            while not stop.wait(self._rng.uniform(0.05, 0.5)):
                actions = [self.issue, self._revise, self._void, self._reinstate, self._reverse]
                self._rng.choices(actions, weights=[6, 2, 1, 1, 3])[0]()
        finally:
            self._operator.close()

    def issue(
        self, apartment: str | None = None, count: int | None = None, *, provider: str | None = None
    ) -> None:
        """Issue bills to an apartment, by default a few of usual providers to any."""
        place = apartment or self._rng.choice(self._apartments)
        self._send([self._line(place, provider) for _ in range(count or self._rng.randint(1, 3))])

    def _line(self, apartment: str, provider_id: str | None) -> Json:
        provider = provider_id or self._rng.choice(_USUAL)
        month = self._rng.randint(1, 9)
        return {
            "apartment_id": apartment,
            "utility": _UTILITY[provider],
            "provider_id": provider,
            "provider_reference": str(uuid4()),
            "period_from": f"2026-{month:02}-01",
            "period_to": f"2026-{month:02}-28",
            "due_on": f"2026-{month + 1:02}-15",
            "amount_minor": self._rng.randint(1, 20_000),
            "currency": self._rng.choices(["EUR", "USD"], weights=[9, 1])[0],
        }

    def _send(self, lines: list[Json]) -> None:
        """Issue bills as a file of their own."""
        numbered = [{"line": number, **line} for number, line in enumerate(lines, start=1)]
        file = {"import_id": str(uuid4()), "file_name": "bills.csv", "sha256": uuid4().hex * 2}
        answer = self._operator.call("issue", "issue_bills", file={**file, "lines": numbered})
        if answer is None or answer["status"] != "done":
            return
        for line, result in zip(lines, answer["data"]["lines"], strict=True):
            if result["result"] != "rejected":
                bill = SentBill(result["bill_id"], line["apartment_id"], line)
                self._shared.add(self._shared.bills, bill)

    def _revise(self) -> None:
        if bill := self._shared.pick(self._shared.bills, self._rng):
            self._send([{**bill.line, "amount_minor": self._rng.randint(1, 20_000)}])

    def _void(self) -> None:
        if bill := self._shared.pick(self._shared.bills, self._rng):
            self._operator.call("void", "void_bill", "in error", "olga", bill_id=bill.bill_id)
            self._voided.append(bill)

    def _reinstate(self) -> None:
        if bill := self._shared.pick(self._voided, self._rng):
            note = ("not in error", "olga", False)
            call = ("reinstate", "reinstate_bill", *note)
            answer = self._operator.call(*call, bill_id=bill.bill_id)
            if answer and answer["status"] == "done":
                again = SentBill(answer["data"]["bill_id"], bill.apartment, bill.line)
                self._shared.add(self._shared.bills, again)

    def _reverse(self) -> None:
        if payment := self._shared.pick(self._shared.payments, self._rng):
            self._operator.call("reverse", "reverse_payment", "mistake", "olga", payment_id=payment)


class ResidencyWorker:
    """Lets residents move out and in again, and adds people whose names are canaries.

    `movers` are (user, apartment).
    """

    def __init__(
        self, operator: Operator, seed: str, canaries: Canaries, movers: Sequence[tuple[str, str]]
    ) -> None:
        self._operator = operator
        self._rng = random.Random(seed)
        self._canaries = canaries
        self._movers = movers

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; whoever moved out by then stays out."""
        try:
            while not stop.wait(self._rng.uniform(0.3, 1.5)):
                self._step()
        finally:
            self._operator.close()

    def _step(self) -> None:
        if not self._movers or self._rng.random() < 0.2:
            user = str(uuid4())
            self._operator.call(
                "add_resident", "add_resident", self._canaries.name(user), user=user
            )
            return
        user, apartment = self._rng.choice(self._movers)
        if self._rng.random() < 0.4:
            self._operator.call("end", "end_residency", user=user, apartment=apartment)
        else:
            place = {"user": user, "apartment": apartment}
            since = self._rng.choice([None, LONG_AGO])
            self._operator.call("grant", "grant_residency", **place, since=since)
