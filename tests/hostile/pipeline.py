"""A request's whole way in one process: the deployed templates, the functions, a real Postgres."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from werkzeug.test import Client, TestResponse

from billing_app.adapters.connections import Database
from billing_app.adapters.ledger import PostgresLedger
from chalicelib.batch import Batch
from chalicelib.operations import OPERATIONS
from tests.hostile.contract import NOT_FOR_SQS
from tests.support.databases import LedgerDatabase
from tests.support.fakes import FakeClock, FakeDependencies, FakeReplyQueues
from tests.support.records import a_record
from tests.unit.gateway.tools import DOCUMENT, PREFIX, Keyring, MemoryQueues
from tools.local.gateway import create_app
from tools.local.gateway.sqs import Answer, error_answer

Json = dict[str, Any]


class StrictQueues(MemoryQueues):
    """Queues in memory that reject the characters which SQS rejects."""

    def SendMessage(self, queue: str, parameters: dict[str, str]) -> Answer:  # noqa: N802 - SQS's name
        """Keep the message, unless SQS would not."""
        if NOT_FOR_SQS.search(parameters["MessageBody"]):
            return error_answer(400, "InvalidMessageContents", "")
        values = [value for name, value in parameters.items() if name.endswith("StringValue")]
        if not all(values) or any(NOT_FOR_SQS.search(value) for value in values):
            return error_answer(400, "InvalidParameterValue", "")
        return super().SendMessage(queue, parameters)


@dataclass(frozen=True)
class Sent:
    """What became of a request: the gateway's answer, the message, and the replies by queue."""

    answer: TestResponse
    message: Json | None = None
    came_back: bool = False
    replies: Mapping[str, list[str]] = field(default_factory=dict)


class Pipeline:
    """Sends requests as one resident of one apartment."""

    def __init__(self, database: LedgerDatabase, subject: UUID) -> None:
        self.queues, self.subject, self._keyring = StrictQueues(), subject, Keyring()
        self._client = Client(
            create_app(document=DOCUMENT, backend=self.queues, keys=lambda _: self._keyring)
        )
        self._token = self._keyring.token(str(subject))
        self._dependencies = FakeDependencies(
            ledger=PostgresLedger(
                Database(
                    secret=lambda: database.secret("writer"),
                    renew_secret=lambda: None,
                    application_name="hostile",
                )
            )
        )

    def send(
        self, operation: str, body: bytes, *, apartment: str = "", key: str | None = None
    ) -> Sent:
        """POST a body and have the function work on what comes of it.

        `apartment` is a segment of the path as it stands in the request line.
        """
        path = "/auth" if operation == "auth" else f"/apartments/{apartment}/{operation}"
        headers = {"Content-Type": "application/json"}
        if operation != "auth":
            headers["Authorization"] = self._token
        if key is not None:
            headers["Idempotency-Key"] = key
        answer = self._client.open(
            "/",
            method="POST",
            data=body,
            headers=headers,
            environ_overrides={"REQUEST_URI": path, "RAW_URI": path},
        )
        messages, queue = self.queues.messages, f"{PREFIX}-{operation}"
        sent, messages[queue] = messages[queue], []
        assert len(sent) == (1 if answer.status_code == 202 else 0)
        return self.work(operation, sent[0], answer) if sent else Sent(answer)

    def work(self, operation: str, message: Json, answer: TestResponse) -> Sent:
        """Hand a message to its function, as Lambda would on a first receive."""
        record = a_record(message["Body"])
        record["messageAttributes"] = {
            name: {"stringValue": value, "dataType": "String"}
            for name, value in message["attributes"].items()
        }
        came_back, replies = self.handle(operation, record)
        return Sent(answer, message, came_back, replies)

    def handle(self, operation: str, record: Json) -> tuple[bool, dict[str, list[str]]]:
        """Have a function work on a record; tell whether it comes back, and what was answered."""
        replies = FakeReplyQueues(FakeClock(), PREFIX)
        batch = Batch(
            OPERATIONS[operation],
            self._dependencies,
            queues=replies,
            max_receive_count=3,
        )
        failures = batch.handle({"Records": [record]})["batchItemFailures"]
        return bool(failures), {name: list(texts) for name, texts in replies.messages.items()}

    def polled(self, sent: Sent) -> list[Json]:
        """Put the replies where the function sent them, and poll where the gateway said."""
        for name, texts in sent.replies.items():
            self.queues.messages[name] = [
                {"Body": text, "ReceiptHandle": f"AQEB/{number}+="}
                for number, text in enumerate(texts)
            ]
        target = json.loads(sent.answer.data)["poll"]
        found = self._client.open(
            "/",
            headers={"Authorization": self._token},
            query_string={"wait_seconds": "0"},
            environ_overrides={"REQUEST_URI": target, "RAW_URI": target},
        )
        assert found.status_code == 200
        replies: list[Json] = json.loads(found.data)["replies"]
        return replies
