"""One request on its way through the service, with a fault that strikes at a step."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from tests.matrix.faults import FAULTS, Fault
from tests.matrix.harness import PREFIX, Harness
from tests.matrix.workers import Worker
from tests.support.ledger import Ledger
from tools.chaos.proxies import Answer, Call, Forward, PostgresProxy, Rule, StepEvent
from tools.chaos.workload.http import subject_of
from tools.local.provision import request_queue_name
from tools.local.service import service

Json = dict[str, Any]

_DEADLINE_SECONDS = 30.0
_PAUSE_SECONDS = 0.02
_CALL_SECONDS = 8.0


@dataclass(frozen=True)
class Request:
    """A request as the gateway puts it on its queue; the gateway knows no subject of a login."""

    operation: str
    body: Json
    user: UUID
    subject: UUID | None = None
    apartment: UUID | None = None
    key: str | None = None
    queue: UUID = field(default_factory=uuid4)
    request_id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def text(self) -> str:
        """The message's body."""
        return json.dumps({"queue_name": str(self.queue), **self.body})

    def recorded(self) -> Json:
        """Return what is recorded of it: no password."""
        return {
            "client": "c",
            "user": str(self.user),
            "op": self.operation,
            "apartment": str(self.apartment),
            "key": self.key,
            "bills": self.body.get("bills_id", []),
            "expected": None,
            "queue_name": str(self.queue),
            "login": "password",
        }

    @property
    def attributes(self) -> dict[str, Any]:
        """What the gateway vouches for."""
        vouched = {
            "request_id": self.request_id,
            "subject": self.subject,
            "apartment_id": self.apartment,
            "idempotency_key": self.key,
        }
        return {
            name: {"DataType": "String", "StringValue": str(value)}
            for name, value in vouched.items()
            if value is not None
        }


class Deliveries:
    """A rule of the AWS proxy that counts what workers receive and lets none of them wait long."""

    def __init__(self) -> None:
        self.receives: dict[str, int] = {}
        self.receipts: dict[str, str] = {}
        self.idle = threading.Event()

    def __call__(self, call: Call, forward: Forward) -> Answer:
        if call.action != "ReceiveMessage":
            return forward(call)
        # Nothing wakes a long poll when a hidden message is shown again.
        answer = forward(call.having(WaitTimeSeconds=0))
        messages = json.loads(answer.body).get("Messages", []) if answer.status == 200 else []
        for message in messages:
            self._note(message)
        if not messages:
            self.idle.set()
            time.sleep(_PAUSE_SECONDS)
        return answer

    def _note(self, message: Json) -> None:
        self.idle.clear()
        request_id = message["MessageAttributes"]["request_id"]["StringValue"]
        self.receives[request_id] = self.receives.get(request_id, 0) + 1
        self.receipts[message["MessageId"]] = message["ReceiptHandle"]


class Scenario:
    """Sends requests, injects a fault at a step, and drains the queue. Records what it sees."""

    def __init__(self, harness: Harness, operation: str, fault: str) -> None:
        self.harness: Harness = harness
        self.operation = operation
        self.fault: Fault = FAULTS[fault]
        self.ledger = Ledger(harness.database())
        self.deliveries = Deliveries()
        self.old_entries: dict[bytes, bytes] = {}
        self.workers: list[Worker] = []
        self.events: list[Json] = []
        self._rules: list[Rule] = []
        self._struck = threading.Event()
        self._turn = threading.Lock()
        harness.aws.add(self.deliveries)

    @property
    def postgres(self) -> PostgresProxy:
        """The way of this operation's workers to the database."""
        return self.harness.postgres[self.operation]

    @property
    def role(self) -> str:
        """The database role of this operation's workers."""
        return service().functions[self.operation].database_role

    def start_worker(self) -> None:
        """Start a worker of the operation; a successor has all the time that it needs."""
        seconds = _CALL_SECONDS if self.workers else self.fault.call_seconds
        self.workers.append(self.harness.worker(self.operation, seconds=seconds))

    def kill_worker(self) -> None:
        """Kill the worker that was started last."""
        self.workers[-1].kill()

    def add_rule(self, rule: Rule) -> None:
        """Have SQS keep to the rule until `remove_rules`."""
        self._rules.append(rule)
        self.harness.aws.add(rule)

    def remove_rules(self) -> None:
        """End what strikes SQS; deliveries are counted without a break."""
        while self._rules:
            self.harness.aws.remove(self._rules.pop())

    def send(self, request: Request, *, times: int = 1) -> None:
        """Put the request on its queue."""
        self.record("invoke", id=len(self.events), **request.recorded())
        accepted = {"id": len(self.events) - 1, "request_id": request.request_id}
        self.record("accepted", **accepted)
        for _ in range(times):
            self.harness.clients.sqs.send_message(
                QueueUrl=self._url(request_queue_name(PREFIX, request.operation)),
                MessageBody=request.text,
                MessageAttributes=request.attributes,
            )

    def drain(self) -> None:
        """Wait until nothing is on the request queue any more.

        A worker that died gets a successor. A message that nobody works on is shown again at once,
        as it would be in a while. The fault has ended by then.
        """
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while self.count(request_queue_name(PREFIX, self.operation)):
            assert time.monotonic() < deadline, self.log_tail()
            with self._turn:
                self._go_on()
            time.sleep(_PAUSE_SECONDS)
        self.fault.end(self)

    def _go_on(self) -> None:
        # What is received from here on is being worked on, so it stays hidden.
        receipts = list(self.deliveries.receipts.values())
        if not self.workers[-1].is_running:
            self.fault.end(self)
            self.start_worker()
            self._show_again(receipts)
        elif self.deliveries.idle.is_set():
            self.fault.end(self)
            self._show_again(receipts)

    def wait_for_receives(self, request: Request, count: int) -> None:
        """Wait until workers have received the request so many times."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while self.deliveries.receives.get(request.request_id, 0) < count:
            assert time.monotonic() < deadline, self.log_tail()
            time.sleep(_PAUSE_SECONDS)

    def move_back(self) -> list[str]:
        """Move dead letters back, as an operator does, and return their bodies."""
        queue = request_queue_name(PREFIX, self.operation)
        letters = list(self._taken(f"{queue}-dlq"))
        for letter in letters:
            self.harness.clients.sqs.send_message(
                QueueUrl=self._url(queue),
                MessageBody=letter["Body"],
                MessageAttributes=letter["MessageAttributes"],
            )
        return [letter["Body"] for letter in letters]

    @contextmanager
    def striking(self, step: str) -> Iterator[None]:
        """Have the fault strike when the step is seen first; it must have been seen in the end."""
        with ExitStack() as watched:
            for proxy in (self.postgres, self.harness.aws):
                watched.enter_context(proxy.watching(lambda moment: self._see(moment, step)))
            yield
        assert self._struck.is_set(), f"nobody came to the step {step}"

    def record(self, e: str, **fields: Any) -> None:
        """Record an event as a client of the service would."""
        self.events.append({"e": e, "t": float(len(self.events)), **fields})

    def answers(self, request: Request) -> list[Json]:
        """Take and record the replies to the request from every queue that has its name."""
        found = []
        for name in self.reply_queues(request):
            *owner, queue = (UUID(one) for one in name.split("-")[2:])
            user = str(owner[0] if owner else request.user)
            for message in self._taken(name):
                reply = json.loads(message["Body"])
                shown = without_tokens(reply)
                place = {"client": "c", "user": user, "queue_name": str(queue)}
                self.record("reply", **place, op=reply["operation"], reply=shown)
                found.append(reply)
        return [reply for reply in found if reply["request_id"] == request.request_id]

    def reply_queues(self, request: Request) -> list[str]:
        """Name the queues that were made for the request's queue name, whoever's they are."""
        urls = self.harness.clients.sqs.list_queues(QueueNamePrefix=PREFIX).get("QueueUrls", [])
        names = [url.rpartition("/")[2] for url in urls]
        return [name for name in names if name.endswith(request.queue.hex)]

    def count(self, queue: str) -> int:
        """Count the messages of a queue, hidden ones too."""
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.harness.clients.sqs.get_queue_attributes(
            QueueUrl=self._url(queue), AttributeNames=names
        )
        return sum(int(count) for count in answer["Attributes"].values())

    def close(self) -> None:
        """End the workers and whatever the scenario has left behind."""
        for worker in self.workers:
            worker.kill()
        self.harness.aws.restore()
        self.ledger.database.close()
        # A scenario that failed may have left its request behind, which others must not meet.
        self._show_again(list(self.deliveries.receipts.values()))
        list(self._taken(request_queue_name(PREFIX, self.operation)))

    def log_tail(self) -> str:
        """Quote the end of what the workers logged, for a scenario that failed."""
        return "\n".join(self.harness.log.read_text("utf-8").splitlines()[-12:])

    def reconnect(self) -> None:
        """Connect to the ledger again: a scenario may have stopped its server."""
        self.ledger = Ledger(self.harness.database())

    def _see(self, moment: StepEvent, step: str) -> None:
        if moment.step == step and not self._struck.is_set():
            self._struck.set()
            # A fault is not healed while it strikes.
            with self._turn:
                self.deliveries.idle.clear()
                self.fault.strike(self, moment)

    def _show_again(self, receipts: Sequence[str]) -> None:
        url = self._url(request_queue_name(PREFIX, self.operation))
        for receipt in receipts:
            try:
                self.harness.clients.sqs.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0
                )
            except self.harness.clients.sqs.exceptions.ClientError:
                # It is visible or deleted already.
                continue
        self.deliveries.idle.clear()

    def _taken(self, queue: str) -> Iterator[Json]:
        sqs, url = self.harness.clients.sqs, self._url(queue)
        while messages := self._received(url):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                yield message

    def _received(self, url: str) -> list[Json]:
        answer: Any = self.harness.clients.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return list(answer.get("Messages", []))

    def _url(self, queue: str) -> str:
        return str(self.harness.clients.sqs.get_queue_url(QueueName=queue)["QueueUrl"])


def without_tokens(reply: Json) -> Json:
    """Return a reply as it may be recorded: of tokens only whose they are."""
    if reply["operation"] != "auth" or not reply["data"]:
        return reply
    subject = subject_of(reply["data"]["tokens"]["id_token"])
    return {**reply, "data": {**reply["data"], "tokens": {"sub": subject}}}
