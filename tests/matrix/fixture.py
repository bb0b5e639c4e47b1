"""A resident with an apartment, a request of theirs, and its end held against what is expected."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.matrix.expectations import (
    LOGIN_INVARIANTS,
    PAYMENT_INVARIANTS,
    READ_INVARIANTS,
    Expected,
)
from tests.matrix.harness import PREFIX, Harness
from tests.matrix.scenario import Request, Scenario
from tests.support.ledger import LONG_AGO, Home
from tools.chaos.checker import RunRecord, check, render
from tools.chaos.workload.final_state import Queues, dump_ledger

_INVARIANTS = {
    "payments": PAYMENT_INVARIANTS,
    "utils": READ_INVARIANTS,
    "histories": READ_INVARIANTS,
    "auth": LOGIN_INVARIANTS,
}


@dataclass
class Fixture:
    """A scenario of one resident. `paid` and `open`: what the ledger must say of the bills."""

    scenario: Scenario
    home: Home
    name: str
    paid: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)
    passwords: tuple[str, ...] = ()

    def request(self, operation: str, **body: Any) -> Request:
        """Make a request of the resident for their apartment."""
        home = self.home
        return Request(operation, body, home.subject, home.subject, home.apartment)

    def pay_directly(self, bill: str) -> None:
        """Pay a bill in the ledger alone, as for a request whose client was told nothing."""
        key = str(uuid4())
        self.scenario.ledger.pay(self.home, [bill], key=key)
        request = self.request("payments", bills_id=[bill]).recorded()
        number = len(self.scenario.events)
        self.scenario.record("invoke", id=number, **{**request, "key": key})
        self.scenario.record("not_accepted", id=number, status=0, code=None)
        self.paid.add(bill)

    def answered(self, request: Request) -> None:
        """Have a request answered before anything strikes."""
        self.scenario.send(request)
        self.scenario.drain()
        assert [one["status"] for one in self.scenario.answers(request)] == ["done"]

    def ends_as(self, expected: Expected, request: Request, *, step: str, times: int = 1) -> None:
        """Send the request, let the fault strike at the step, and check the end."""
        scenario = self.scenario
        with scenario.striking(step):
            if not scenario.workers:
                scenario.start_worker()
            scenario.send(request, times=times)
            scenario.drain()
        scenario.reconnect()
        self.check_end(expected, request)

    def check_end(self, expected: Expected, request: Request) -> None:
        """Compare the end with what is expected, and check the invariants."""
        scenario, answers = self.scenario, self.scenario.answers(request)
        receives = scenario.deliveries.receives.get(request.request_id)
        ended = (receives, len(answers), {one["status"] for one in answers})
        assert ended == (expected.receives, expected.answers, {"done"}), scenario.log_tail()
        record = self.record()
        if request.operation != "auth":
            self._check_bills(record, [answer["data"] for answer in answers])
            assert scenario.ledger.violations() == []
        result = check(record, only=_INVARIANTS[request.operation])
        assert not result.violations, "\n".join(map(render, result.violations))
        assert "I5" not in result.vacuous

    def _check_bills(self, record: RunRecord, data: list[dict[str, Any]]) -> None:
        ledger, apartment = record.ledger, str(self.home.apartment)
        assert {bill for bill in ledger.settled if ledger.apartment(bill) == apartment} == self.paid
        assert {bill for bill in ledger.open if ledger.apartment(bill) == apartment} == self.open
        for shown in data:
            if "debts" in shown:
                assert {debt["bill_id"] for debt in shown["debts"]} == self.open
            if "settled_debts" in shown:
                assert {event["bill_id"] for event in shown["settled_debts"]} == self.paid

    def record(self) -> RunRecord:
        """Return what the checker needs: what was sent and seen, and what is left."""
        harness, deliveries = self.scenario.harness, self.scenario.deliveries
        kinds = {
            "name": [self.name],
            "password": [*self.passwords, *harness.passwords.values()],
            "receipt": list(deliveries.receipts.values()),
        }
        queues = Queues(harness.clients.sqs, PREFIX)
        return RunRecord(
            events=self.scenario.events,
            tables=dump_ledger(lambda: self.scenario.ledger.database.connect("owner")),
            final={"dead_letters": queues.dead_letters(), "waiting": queues.waiting()},
            logs={"workers": harness.log.read_text("utf-8")},
            secrets=[{"kind": k, "value": v} for k, values in kinds.items() for v in values],
        )


@contextmanager
def fixture(harness: Harness, operation: str, fault: str) -> Iterator[Fixture]:
    """Give a resident with an apartment; whatever the scenario started is ended after it."""
    scenario = Scenario(harness, operation, fault)
    try:
        ledger = scenario.ledger
        ledger.provider()
        name = f"Kanarek{secrets.token_hex(6)} Ковач"
        home = Home(subject=ledger.resident(name), apartment=ledger.apartment())
        granted = ledger.grant(home.subject, home.apartment)
        place = {"user": str(home.subject), "apartment": str(home.apartment)}
        told = {"args": {**place, "since": LONG_AGO}, "answer": granted, "t0": 0.0}
        for action in ("add_apartment", "grant"):
            scenario.record("operator", action=action, **told)
        yield Fixture(scenario, home, name)
    finally:
        scenario.fault.end(scenario)
        scenario.close()
