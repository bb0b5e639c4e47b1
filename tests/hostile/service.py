"""A request's whole way in one process: the deployed templates, the functions, a real Postgres."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.test import Client, TestResponse

from billing_app.adapters.ledger import PostgresLedger
from billing_app.ports.identity import Credentials
from tests.hostile.alphabets import CANARY
from tests.support.billing_service import BillingService, Json, ReplyQueues
from tests.support.databases import LedgerDatabase
from tests.support.fakes import FakeDependencies
from tests.support.ledger import Home
from tools.local.gateway.sqs import Answer, error_answer, message_attributes, parse_form

# What SQS takes in an attribute or a body is the rest.
NOT_FOR_SQS = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Accepted:
    """A request that reached its queue: the message there, and the reply."""

    body: str
    attributes: Mapping[str, str]
    reply: Json


class HostileService(BillingService):
    """Takes requests of one resident of one apartment, and checks all that is seen of them."""

    def __init__(self, database: LedgerDatabase, home: Home) -> None:
        super().__init__()
        self.home = home
        self.log: Any = None
        self._record: Json | None = None
        ledger = PostgresLedger(database.adapters("writer"))
        self.dependencies = FakeDependencies(ledger, identity=self.identity)
        self.identity.users["anna"] = ("Example-Passw0rd-1", home.subject)
        credentials = Credentials("anna", "Example-Passw0rd-1")
        self._token = self.identity.sign_in(credentials).tokens.id_token
        self._client = Client(self.app)

    def call(self, path: str, body: str) -> Answer:
        """Do what the gateway asks SQS for, unless SQS rejects the characters."""
        parameters = parse_form(body)
        if parameters["Action"] == "SendMessage":
            if NOT_FOR_SQS.search(parameters["MessageBody"]):
                return error_answer(400, "InvalidMessageContents", "")
            attributes = message_attributes(parameters).values()
            values = [attribute["StringValue"] for attribute in attributes]
            if not all(values) or any(NOT_FOR_SQS.search(value) for value in values):
                return error_answer(400, "InvalidParameterValue", "")
        return super().call(path, body)

    def work(self, name: str, record: Json) -> tuple[bool, Mapping[str, list[str]]]:
        """Have a function work on a record, which must neither crash nor be logged."""
        self._record, (came_back, replies) = record, super().work(name, record)
        assert CANARY not in self.log.text
        assert "request failed" not in self.log.text
        assert all(json.loads(line) for line in self.log.text.split("\n") if line)
        assert all(text.isascii() for texts in replies.values() for text in texts)
        return came_back, replies

    def send(
        self, operation: str, body: bytes, *, apartment: str = "", key: str | None = None
    ) -> Accepted | None:
        """POST a body and poll for the reply; None for a request that the gateway rejects.

        `apartment` is a segment of the path as it stands in the request line.
        """
        self.log.clear()
        self.queues, self._record = ReplyQueues(self.clock), None
        where = apartment or self.home.apartment
        path = "/auth" if operation == "auth" else f"/apartments/{where}/{operation}"
        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        answer = self._ask("POST", path, data=body, headers=headers)
        assert CANARY not in self.log.text
        told = json.loads(answer.data)
        if answer.status_code != 202:
            assert answer.status_code in (400, 413, 415)
            assert set(told) == {"code", "message", "request_id"}
            assert CANARY not in answer.text
            assert self._record is None
            return None
        return self._accepted(told)

    def _accepted(self, told: Json) -> Accepted:
        polled = self._ask("GET", told["poll"], query_string={"wait_seconds": "0"})
        assert polled.status_code == 200
        [reply] = json.loads(polled.data)["replies"]
        reply.pop("receipt")
        assert [reply] == self.queues.left()
        assert (reply["request_id"], CANARY in str(reply)) == (told["request_id"], False)
        assert reply["status"] in ("done", "rejected")
        assert self._record is not None
        attributes = self._record["messageAttributes"].items()
        sent = {name: value["stringValue"] for name, value in attributes}
        return Accepted(self._record["body"], sent, reply)

    def _ask(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> TestResponse:
        token = {} if target.startswith("/auth") else {"Authorization": self._token}
        return self._client.open(
            "/",
            method=method,
            headers={**(headers or {}), **token},
            environ_overrides={"REQUEST_URI": target, "RAW_URI": target},
            **more,
        )
