"""The whole service in one process, without sockets: for tests of the client.

Requests run through the deployed gateway templates and the real functions. SQS, Cognito, the
ledger and the time are in memory, and faults happen on demand.
"""

from __future__ import annotations

import functools
import itertools
import json
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import httpx
import jwt
from billing_client.transport import Clock

from billing_app.adapters.deadline import Deadline
from billing_app.adapters.reply_queues import VISIBILITY_TIMEOUT_SECONDS
from billing_app.domain.bills import Debt
from billing_app.domain.errors import Rejection
from billing_app.domain.history import SettledDebt
from billing_app.ports.identity import Credentials, SignedIn, Tokens
from billing_app.ports.ledger import PaymentOrder
from billing_app.use_cases import history
from chalicelib import replies
from chalicelib.batch import Batch
from chalicelib.operations import OPERATIONS
from tests.support.fake_bills import START, FakeClock, FakeResidency
from tests.support.fake_ledger import FakeLedger
from tests.support.fakes import (
    FakeCache,
    FakeDependencies,
    FakeIdentity,
    FakeReplyQueues,
    FakeRequestQueue,
)
from tests.support.records import a_record
from tests.unit.gateway.tools import DOCUMENT, PREFIX, Keyring
from tools.local.gateway import create_app
from tools.local.gateway.sqs import Answer, error_answer, message_attributes, parse_form

Json = dict[str, Any]
TODAY = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass
class VirtualClock:
    """Time that passes only when somebody waits."""

    now: float = 0.0

    def time(self) -> float:
        """Return the same, as if it had begun in 2026."""
        return TODAY.timestamp() + self.now

    def monotonic(self) -> float:
        """Return the seconds waited so far."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@dataclass
class Message:
    """A message on a reply queue."""

    body: str
    sent_at: float
    visible_at: float
    receipts: list[str] = field(default_factory=list)


class ReplyQueues:
    """Reply queues as SQS has them: at least once, in any order, hidden while received."""

    def __init__(self, clock: Clock) -> None:
        self.visibility_seconds = float(VISIBILITY_TIMEOUT_SECONDS)
        self.batch = 10
        self.shuffle: random.Random | None = None
        self.lose_acknowledgements = False
        self._clock = clock
        self._lock = threading.Lock()
        self._queues: dict[str, list[Message]] = {}
        self._numbers = itertools.count(1)

    def put(self, name: str, body: str, *, after_seconds: float = 0.0) -> None:
        """Send a message, which creates the queue."""
        at = self._clock.monotonic() + after_seconds
        with self._lock:
            self._queues.setdefault(name, []).append(Message(body, at, at))

    def exists(self, name: str) -> bool:
        """Tell whether the queue was created."""
        now = self._clock.monotonic()
        return any(message.sent_at <= now for message in self._queues.get(name, ())) or (
            name in self._queues and not self._queues[name]
        )

    def receive(self, name: str, most: int, wait_seconds: float) -> list[Json]:
        """Long-poll for messages."""
        ends_at = self._clock.monotonic() + wait_seconds
        while True:
            with self._lock:
                found = self._visible(name)[: min(most, self.batch)]
                if found or self._clock.monotonic() >= ends_at:
                    return [self._handed_out(message) for message in found]
            self._clock.sleep(0.02)

    def _visible(self, name: str) -> list[Message]:
        now = self._clock.monotonic()
        found = [message for message in self._queues[name] if message.visible_at <= now]
        if self.shuffle:
            self.shuffle.shuffle(found)
        return found

    def _handed_out(self, message: Message) -> Json:
        message.visible_at = self._clock.monotonic() + self.visibility_seconds
        message.receipts.append(f"AQEB/{next(self._numbers)}+=")
        return {"Body": message.body, "ReceiptHandle": message.receipts[-1]}

    def delete(self, name: str, receipt: str) -> None:
        """Delete the message with a receipt."""
        if not self.lose_acknowledgements:
            with self._lock:
                kept = [one for one in self._queues[name] if receipt not in one.receipts]
                self._queues[name] = kept

    def left(self) -> list[Json]:
        """Return the messages that were never deleted."""
        with self._lock:
            return [json.loads(one.body) for queue in self._queues.values() for one in queue]

    def names(self) -> list[str]:
        """Return the names of all queues."""
        return list(self._queues)


@functools.cache
def _keyring() -> Keyring:
    return Keyring()


class Identity(FakeIdentity):
    """Issues signed tokens, which can be ended, and can require new passwords."""

    def __init__(self) -> None:
        super().__init__()
        self.must_change: set[str] = set()
        self._tokens: set[str] = set()
        self._refresh_ended = False

    def sign_in(self, credentials: Credentials) -> SignedIn:
        """Check the password."""
        subject = super().sign_in(credentials).subject
        if credentials.username in self.must_change:
            if credentials.new_password is None:
                raise Rejection("new_password_required")
            self.users[credentials.username] = (credentials.new_password, subject)
        return self._signed_in(subject)

    def refresh(self, *, refresh_token: str) -> SignedIn:
        """Check the refresh token."""
        if self._refresh_ended:
            raise Rejection("session_expired")
        return self._signed_in(super().refresh(refresh_token=refresh_token).subject)

    def expire_tokens(self, *, refresh_too: bool = False) -> None:
        """End every id token, and with `refresh_too` every session."""
        self._tokens.clear()
        self._refresh_ended = refresh_too

    def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
        """Return the key for a token that has not ended, as the gateway's authorizer asks."""
        if token not in self._tokens:
            raise jwt.PyJWKClientError("ended")
        return _keyring().get_signing_key_from_jwt(token)

    def _signed_in(self, subject: UUID) -> SignedIn:
        token = _keyring().token(str(subject), jti=str(uuid4()))
        self._tokens.add(token)
        return SignedIn(subject, Tokens(token, f"access-{subject}", f"refresh-{subject}", 3600))


@dataclass(frozen=True)
class Residency:
    """A resident and an apartment of theirs."""

    service: BillingService
    subject: UUID
    id: UUID

    @property
    def apartment_id(self) -> str:
        """The apartment's id as clients know it."""
        return str(self.id)

    @property
    def events(self) -> list[SettledDebt]:
        """What was posted, in order."""
        return self.service.ledger.apartments[self.id].events

    def follows(self, former: UUID) -> None:
        """Let somebody have had the apartment in the year before."""
        since = START - timedelta(days=365)
        self.service.ledger.residencies.append(
            FakeResidency(former, self.id, since, since, ended_at=START)
        )

    def owes(self, *bills: Debt) -> list[str]:
        """Issue bills; return their ids."""
        return [str(self.service.ledger.issue(self.id, bill)) for bill in bills]

    def pays(self, *bills: Debt) -> None:
        """Issue bills and pay them at once, without a client."""
        self.owes(*bills)
        ids = tuple(bill.bill_id for bill in bills)
        self.service.ledger.pay(PaymentOrder(self.subject, str(uuid4()), self.id, ids, None))


class BillingService:
    """The service. `silent` operations accept requests and never answer."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or VirtualClock()
        self.queues = ReplyQueues(self.clock)
        self.identity, self.ledger, self.cache = Identity(), FakeLedger(), FakeCache()
        self.silent: set[str] = set()
        self.failing: dict[str, Exception] = {}
        self.edit: Callable[[Json], Json] = lambda reply: reply
        self.answer_seconds = 0.0
        self.answer_times = 1
        self.accepted: list[str] = []
        self.app = create_app(document=DOCUMENT, backend=self, keys=lambda _: self.identity)
        self.dependencies = FakeDependencies(
            self.ledger, self.cache, self.identity, FakeClock(TODAY)
        )

    def add_resident(self, username: str = "ada", *apartments: UUID) -> UUID:
        """Add somebody who logs in with the password "secret"."""
        subject = self.ledger.new_resident(username.capitalize(), *apartments)
        self.identity.users[username] = ("secret", subject)
        return subject

    def add_apartment(self, subject: UUID) -> Residency:
        """Add an apartment of a resident."""
        apartment = Residency(self, subject, self.ledger.new_apartment())
        self.show_from(apartment, START)
        return apartment

    def show_from(self, apartment: Residency, instant: datetime) -> None:
        """Let the resident see the history from an instant on."""
        self.ledger.show_from(apartment.subject, apartment.id, instant)
        self.ledger.apartments[apartment.id].version += 1

    def call(self, path: str, body: str) -> Answer:
        """Do what the gateway asks SQS for."""
        queue, parameters = path.rpartition("/")[2], parse_form(body)
        if parameters["Action"] == "SendMessage":
            self._accept(queue.removeprefix(f"{PREFIX}-"), parameters)
            return Answer(200, {"SendMessageResponse": {"SendMessageResult": {"MessageId": "1"}}})
        if not self.queues.exists(queue):
            return error_answer(400, "AWS.SimpleQueueService.NonExistentQueue", "")
        if parameters["Action"] == "DeleteMessage":
            self.queues.delete(queue, parameters["ReceiptHandle"])
            return Answer(200, {"DeleteMessageResponse": {"ResponseMetadata": {}}})
        most, wait = int(parameters["MaxNumberOfMessages"]), float(parameters["WaitTimeSeconds"])
        result = {"messages": self.queues.receive(queue, most, wait) or None}
        return Answer(200, {"ReceiveMessageResponse": {"ReceiveMessageResult": result}})

    def _accept(self, operation: str, parameters: Mapping[str, str]) -> None:
        self.accepted.append(operation)
        if operation in self.silent:
            return
        record = a_record(parameters["MessageBody"])
        record["messageAttributes"] = {
            name: {"stringValue": value["StringValue"], "dataType": "String"}
            for name, value in message_attributes(dict(parameters)).items()
        }
        for _ in range(self.answer_times):
            self._answer(operation, record)

    def work(self, name: str, record: Json) -> tuple[bool, Mapping[str, list[str]]]:
        """Have a function work on a record; tell whether it comes back, and the replies."""
        operation, replies = OPERATIONS[name], FakeReplyQueues(PREFIX)
        if name in self.failing:
            operation = replace(operation, work=_raise(self.failing[name]))
        batch = Batch(
            operation,
            self.dependencies,
            requests=FakeRequestQueue(),
            queues=replies,
            deadline=Deadline(),
            max_receive_count=1,
        )
        failures = batch.handle({"Records": [record]})["batchItemFailures"]
        return bool(failures), replies.messages

    def _answer(self, operation: str, record: Json) -> None:
        _, replies = self.work(operation, record)
        for queue, texts in replies.items():
            for text in texts:
                reply = json.dumps(self.edit(json.loads(text)))
                self.queues.put(queue, reply, after_seconds=self.answer_seconds)


def _raise(error: Exception) -> Callable[..., Any]:
    def work(*_: object) -> None:
        raise error

    return work


@contextmanager
def small_parts(*, item_bytes: int = 400, page_events: int = 2_000) -> Iterator[None]:
    """Cut answers into parts of a few items, and history into small pages."""
    with (
        patch.object(replies, "PART_MAX_BYTES", item_bytes + 1_000),
        patch.object(replies, "ITEMS_MIN_BYTES", item_bytes),
        patch.object(history, "PAGE_EVENTS", page_events),
    ):
        yield


@dataclass
class Fault:
    """Happens to the next `times` requests whose method and path match.

    `kind`: no_connection, drop_before (the request is lost), drop_after (the answer is lost),
    garbled (the answer can't be decoded), status (the gateway answers with `status`), status_after
    (it does after the request was carried out) or proxy (a proxy does, in the place of the
    service's answer).
    """

    kind: str
    method: str = ""
    path: str = ""
    times: int = 1
    status: int = 503
    retry_after: int | None = None

    def happens(self, request: httpx.Request) -> bool:
        """Tell whether it happens to this request."""
        matches = self.method in request.method and self.path in request.url.path
        happens = self.times > 0 and matches
        self.times -= happens
        return happens


class FaultyTransport(httpx.BaseTransport):
    """Carries requests to the service within the process, and remembers them."""

    def __init__(self, service: BillingService) -> None:
        self.service = service
        self.faults: list[Fault] = []
        self.requests: list[httpx.Request] = []
        self._app = httpx.WSGITransport(app=service.app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, unless a fault happens."""
        request.read()
        self.requests.append(request)
        fault = next((fault for fault in self.faults if fault.happens(request)), None)
        if fault is None:
            return self._app.handle_request(request)
        if fault.kind in {"drop_after", "status_after", "garbled", "proxy"}:
            self._app.handle_request(request).read()
        if fault.kind in {"status", "status_after"}:
            code = f"fault_{fault.status}"
            body = {"code": code, "message": f"Rejected: {code}.", "request_id": str(uuid4())}
            wait = fault.retry_after
            headers = {} if wait is None else {"Retry-After": str(wait)}
            return httpx.Response(fault.status, json=body, headers=headers)
        if fault.kind == "no_connection":
            raise httpx.ConnectError("no connection", request=request)
        if fault.kind == "garbled":
            return httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=b"no gzip")
        if fault.kind == "proxy":
            return httpx.Response(fault.status, html="<h1>Not from the service</h1>")
        raise httpx.ReadError("connection reset", request=request)

    def sent(self, method: str, path: str = "") -> list[httpx.Request]:
        """Return the requests whose method and path match."""
        return [r for r in self.requests if r.method == method and path in r.url.path]
