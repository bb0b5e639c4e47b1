"""Requests as the gateway puts them on the queues, and the reply queues that they lead to.

Requests are handed to a function directly: so the check sees at once what a function does without
a permission, and doesn't wait until its queue has given the request up.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import psycopg2

from billing_app.adapters.reply_queues import reply_queue, reply_queue_prefixes
from tools.deploy_check.cloud import Cloud
from tools.deploy_check.errors import DeployCheckError
from tools.deploy_check.operator_client import OperatorClient, Resident

Json = dict[str, Any]

_SWEEPS = 5
# As long as the emulator may take to date a new queue back.
_AGING_SECONDS = 1.0


def body_of(operation: str, resident: Resident) -> Json:
    """Return a body for an operation, without its queue name; the bill does not exist."""
    bodies: Mapping[str, Json] = {
        "auth": {"username": resident.username, "password": resident.password},
        "utils": {},
        "histories": {"date_up": None, "date_down": None},
        "payments": {"bills_id": [str(uuid4())]},
    }
    return bodies[operation]


class Requests:
    """Hands requests of one resident to the functions and looks for the replies."""

    def __init__(
        self, cloud: Cloud, operators: OperatorClient, *, prefix: str, resident: Resident
    ) -> None:
        self._sqs = cloud.client("sqs")
        self._operators, self._prefix, self._resident = operators, prefix, resident

    def is_answered(self, operation: str) -> bool:
        """Hand over one request and tell whether a reply came; a rejection is a reply, too."""
        queue_name = uuid4()
        body = {**body_of(operation, self._resident), "queue_name": str(queue_name)}
        self._operators.invoke(operation, {"Records": [self._record(operation, body)]})
        return self._has_reply(self._reply_queue(operation, queue_name))

    def _record(self, operation: str, body: Json) -> Json:
        attributes = {"request_id": str(uuid4())}
        if operation != "auth":
            attributes["subject"] = self._resident.subject
            attributes["apartment_id"] = self._resident.apartment_id
        return {
            "messageId": str(uuid4()),
            "receiptHandle": "none",
            "body": json.dumps(body),
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": str(int(time.time() * 1000)),
            },
            "messageAttributes": {
                name: {"stringValue": value, "dataType": "String"}
                for name, value in attributes.items()
            },
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:::{self._prefix}-{operation}",
            "awsRegion": "",
        }

    def _reply_queue(self, operation: str, queue_name: UUID) -> str:
        subject = None if operation == "auth" else UUID(self._resident.subject)
        return reply_queue(prefix=self._prefix, subject=subject, queue_name=queue_name)

    def _has_reply(self, queue: str) -> bool:
        try:
            url = self._sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        except self._sqs.exceptions.QueueDoesNotExist:
            return False
        messages = self._sqs.receive_message(QueueUrl=url).get("Messages", [])
        for message in messages:
            self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bool(messages)


class ReplyQueues:
    """Lets reply queues expire and has the deployed function sweep them away."""

    def __init__(self, cloud: Cloud, *, prefix: str) -> None:
        self._sqs = cloud.client("sqs")
        self._database_url = cloud.environment.database_url
        self._prefixes = reply_queue_prefixes(prefix=prefix)

    def create_expired(self, requests: Requests) -> None:
        """Have a queue of each kind created, and expire."""
        for operation in ("auth", "utils"):
            requests.is_answered(operation)
        self._expire()

    def sweep(self, operators: OperatorClient) -> int:
        """Have all of them swept away; returns how many.

        Raises:
            DeployCheckError: some stay.
        """
        deleted = 0
        for url in self._urls():
            # Replies that nobody fetched run out by themselves, after a quarter of an hour.
            self._sqs.purge_queue(QueueUrl=url)
        for _ in range(_SWEEPS):
            self._expire()
            deleted += int(operators.sweep()["deleted"])
            if not self._urls():
                return deleted
        raise DeployCheckError(f"The sweeper leaves reply queues: {self._urls()}")

    def _expire(self) -> None:
        time.sleep(_AGING_SECONDS)
        connection: Any = psycopg2.connect(self._database_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE billing.reply_queues SET expires_at = now() - interval '1 hour'"
                )
        finally:
            connection.close()

    def _urls(self) -> list[str]:
        found = [self._sqs.list_queues(QueueNamePrefix=prefix) for prefix in self._prefixes]
        return [url for answer in found for url in answer.get("QueueUrls", [])]
