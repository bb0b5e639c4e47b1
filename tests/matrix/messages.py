"""Requests as the gateway sends them, their deliveries to workers, and replies as recorded."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from tools.chaos.proxies.aws import Answer, Call, Forward

Json = dict[str, Any]

_PAUSE_SECONDS = 0.02


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
