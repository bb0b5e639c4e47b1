"""One request of a resident on its way through the service; a fault strikes it at a step."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.process import BaseProcess
from typing import Any
from uuid import UUID, uuid4

from tests.matrix.expectations import INVARIANTS, Expected
from tests.matrix.faults import FAULTS
from tests.matrix.harness import OTHER_PASSWORD, PREFIX, Harness
from tests.matrix.messages import Deliveries, Json, Request
from tests.support.databases import ROLE_PASSWORD
from tests.support.ledger import LONG_AGO, Home, Ledger
from tools.chaos.checker import RunRecord, check, render
from tools.chaos.proxies.tcp import StepEvent
from tools.chaos.workload.final_state import Queues, dump_ledger
from tools.chaos.workload.http import without_tokens
from tools.local.provision import request_queue_name
from tools.local.service import service

_DEADLINE_SECONDS = 30.0
_PAUSE_SECONDS = 0.02
_CALL_SECONDS = 8.0


class Scenario:
    """Sends requests of one resident, lets the fault strike, and drains the queue.

    It records what it sees. `paid` and `open`: what the ledger must say of the bills in the end.
    """

    def __init__(self, harness: Harness, operation: str, fault: str) -> None:
        self.harness = harness
        self.operation = operation
        self.fault = FAULTS[fault]
        self.deliveries = Deliveries()
        self.old_entries: dict[bytes, bytes] = {}
        self.workers: list[BaseProcess] = []
        self.events: list[Json] = []
        self.paid: set[str] = set()
        self.open: set[str] = set()
        self.passwords: tuple[str, ...] = ()
        self._striking: Iterator[None] | None = None
        # A fault is not ended while it strikes.
        self._turn = threading.RLock()
        harness.aws_proxy.add(self.deliveries)
        self.reconnect()
        self._move_in()

    def _move_in(self) -> None:
        ledger = self.ledger
        ledger.provider()
        self.name = f"Kanarek{secrets.token_hex(6)} Ковач"
        self.home = Home(subject=ledger.resident(self.name), apartment=ledger.apartment())
        granted = ledger.grant(self.home.subject, self.home.apartment)
        place = {"user": str(self.home.subject), "apartment": str(self.home.apartment)}
        told = {"args": {**place, "since": LONG_AGO}, "answer": granted, "t0": 0.0}
        for action in ("add_apartment", "grant"):
            self.record("operator", action=action, **told)

    @property
    def role(self) -> str:
        """The database role of this operation's workers."""
        return service().functions[self.operation].database_role

    def reconnect(self) -> None:
        """Connect to the ledger, again when its server was stopped."""
        self.ledger = Ledger(self.harness.database())

    def request(self, **body: Any) -> Request:
        """Make a request of the resident for their apartment."""
        home = self.home
        return Request(self.operation, body, home.subject, home.subject, home.apartment)

    def record(self, e: str, **fields: Any) -> None:
        """Record an event as a client of the service would."""
        self.events.append({"e": e, "t": float(len(self.events)), **fields})

    def start_worker(self) -> None:
        """Start a worker of the operation; a successor has all the time that it needs."""
        seconds = _CALL_SECONDS if self.workers else self.fault.call_seconds
        self.workers.append(self.harness.worker(self.operation, seconds=seconds))

    def send(self, request: Request, *, times: int = 1) -> None:
        """Put the request on its queue."""
        number = len(self.events)
        self.record("invoke", id=number, **request.recorded())
        self.record("accepted", id=number, request_id=request.request_id)
        for _ in range(times):
            self._put(request.text, request.attributes)

    def pay_directly(self, bill: str) -> None:
        """Pay a bill in the ledger alone, as for a request whose client was told nothing."""
        key, number = str(uuid4()), len(self.events)
        self.ledger.pay(self.home, [bill], key=key)
        told = {**self.request(bills_id=[bill]).recorded(), "op": "payments", "key": key}
        self.record("invoke", id=number, **told)
        self.record("not_accepted", id=number, status=0, code=None)
        self.paid.add(bill)

    def answered(self, request: Request) -> None:
        """Have a request answered before anything strikes."""
        self.send(request)
        self.drain()
        assert [one["status"] for one in self.answers(request)] == ["done"]

    def ends_as(self, expected: Expected, request: Request, *, step: str, times: int = 1) -> None:
        """Send the request, let the fault strike at the step, and check the end."""
        with self.struck_at(step):
            if not self.workers:
                self.start_worker()
            self.send(request, times=times)
            self.drain()
        self.check_end(expected, request)

    @contextmanager
    def struck_at(self, step: str) -> Iterator[None]:
        """Have the fault strike when the step is seen first; it must have been seen in the end."""

        def see(moment: StepEvent) -> None:
            mine = moment.operation in ("", self.operation)
            if moment.step == step and mine and self._striking is None:
                with self._turn:
                    self.deliveries.idle.clear()
                    self._striking = self.fault.strike(self, moment)
                    next(self._striking)

        with ExitStack() as watched:
            for proxy in (self.harness.postgres_proxy, self.harness.aws_proxy):
                watched.enter_context(proxy.watching(see))
            yield
        assert self._striking is not None, f"nobody came to the step {step}"

    def end_fault(self) -> None:
        """Make everything whole, if it isn't yet."""
        with self._turn:
            if self._striking is not None:
                next(self._striking, None)

    def drain(self) -> None:
        """Wait until nothing is on the request queue any more.

        A worker that died gets a successor. A message that nobody works on is shown again at once,
        as it would be in a while. The fault has ended by then, unless it lasts.
        """
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while self.count():
            assert time.monotonic() < deadline, self._log_tail()
            with self._turn:
                self._go_on()
            time.sleep(_PAUSE_SECONDS)
        self._let_fault_end()

    def _go_on(self) -> None:
        # What is received from here on is being worked on, so it stays hidden.
        receipts = list(self.deliveries.receipts.values())
        if not self.workers[-1].is_alive():
            self._let_fault_end()
            self.start_worker()
            self._show_again(receipts)
        elif self.deliveries.idle.is_set():
            self._let_fault_end()
            self._show_again(receipts)

    def _let_fault_end(self) -> None:
        if not self.fault.lasts:
            self.end_fault()

    def wait_for_receives(self, request: Request, count: int) -> None:
        """Wait until workers have received the request so many times."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while self.deliveries.receives.get(request.request_id, 0) < count:
            assert time.monotonic() < deadline, self._log_tail()
            time.sleep(_PAUSE_SECONDS)

    def move_back(self) -> list[str]:
        """Move dead letters back, as an operator does, and return their bodies."""
        letters = list(self._taken(f"{self._queue}-dlq"))
        for letter in letters:
            self._put(letter["Body"], letter["MessageAttributes"])
        return [letter["Body"] for letter in letters]

    def answers(self, request: Request) -> list[Json]:
        """Take and record the replies to the request from every queue that has its name."""
        found = []
        urls = self.harness.sqs.list_queues(QueueNamePrefix=PREFIX)["QueueUrls"]
        for name in (url.rpartition("/")[2] for url in urls if url.endswith(request.queue.hex)):
            *owner, queue = (UUID(one) for one in name.split("-")[2:])
            user = str(owner[0] if owner else request.user)
            for message in self._taken(name):
                reply = json.loads(message["Body"])
                place = {"client": "c", "user": user, "queue_name": str(queue)}
                self.record("reply", **place, op=reply["operation"], reply=without_tokens(reply))
                found.append(reply)
        return [reply for reply in found if reply["request_id"] == request.request_id]

    def check_end(self, expected: Expected, request: Request) -> None:
        """Compare the end with what is expected, and check the invariants."""
        answers = self.answers(request)
        receives = self.deliveries.receives.get(request.request_id)
        ended = (receives, len(answers), {one["status"] for one in answers})
        assert ended == (expected.receives, expected.answers, {"done"}), self._log_tail()
        record = self._run_record()
        if request.operation != "auth":
            self._check_bills(record, [answer["data"] for answer in answers])
        result = check(record, only=INVARIANTS[request.operation])
        assert not result.violations, "\n".join(map(render, result.violations))
        assert "I5" not in result.vacuous

    def _check_bills(self, record: RunRecord, data: list[Json]) -> None:
        ledger, apartment = record.ledger, str(self.home.apartment)
        assert {bill for bill in ledger.settled if ledger.apartment(bill) == apartment} == self.paid
        assert {bill for bill in ledger.open if ledger.apartment(bill) == apartment} == self.open
        for shown in data:
            if "debts" in shown:
                assert {debt["bill_id"] for debt in shown["debts"]} == self.open
            if "settled_debts" in shown:
                assert {event["bill_id"] for event in shown["settled_debts"]} == self.paid

    def _run_record(self) -> RunRecord:
        """Return what the checker needs: what was sent and seen, and what is left."""
        kinds = {
            "name": [self.name],
            "password": [*self.passwords, ROLE_PASSWORD, OTHER_PASSWORD],
            "receipt": list(self.deliveries.receipts.values()),
        }
        queues, left = Queues(self.harness.sqs, PREFIX), dump_ledger(self.harness.postgres.connect)
        return RunRecord(
            events=self.events,
            tables=left["ledger"],
            final={**left, "dead_letters": queues.dead_letters(), "waiting": queues.waiting()},
            logs={"workers": self.harness.log.read_text("utf-8")},
            secrets=[{"kind": k, "value": v} for k, values in kinds.items() for v in values],
        )

    def close(self) -> None:
        """End the fault, the workers and whatever the scenario has left behind."""
        self.end_fault()
        for worker in self.workers:
            worker.kill()
            worker.join()
        self.harness.restore()
        self.ledger.database.close()
        # A scenario that failed may have left its request behind, which others must not meet.
        self._show_again(list(self.deliveries.receipts.values()))
        list(self._taken(self._queue))

    def _log_tail(self) -> str:
        """Quote the end of what the workers logged, for a scenario that failed."""
        return "\n".join(self.harness.log.read_text("utf-8").splitlines()[-12:])

    # Queues

    @property
    def _queue(self) -> str:
        return request_queue_name(PREFIX, self.operation)

    def count(self) -> int:
        """Count the messages of the request queue, hidden ones too."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.harness.sqs.get_queue_attributes(
            QueueUrl=self._url(self._queue), AttributeNames=names
        )
        return sum(int(count) for count in answer["Attributes"].values())

    def _put(self, body: str, attributes: Json) -> None:
        url = self._url(self._queue)
        self.harness.sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)

    def _show_again(self, receipts: Sequence[str]) -> None:
        url = self._url(self._queue)
        for receipt in receipts:
            try:
                self.harness.sqs.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0
                )
            except self.harness.sqs.exceptions.ClientError:
                # It is visible or deleted already.
                continue
        self.deliveries.idle.clear()

    def _taken(self, queue: str) -> Iterator[Json]:
        sqs, url = self.harness.sqs, self._url(queue)
        while messages := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                yield message

    def _url(self, queue: str) -> str:
        return str(self.harness.sqs.get_queue_url(QueueName=queue)["QueueUrl"])


@contextmanager
def scenario(harness: Harness, operation: str, fault: str) -> Iterator[Scenario]:
    """Give a resident with an apartment; whatever the scenario started is ended after it."""
    made = Scenario(harness, operation, fault)
    try:
        yield made
    finally:
        made.close()
