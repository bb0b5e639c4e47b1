"""Requests as the gateway puts them on the queues, and the reply queues that they lead to.

Requests are handed to a function directly: so the check sees at once what a function does without
a permission, and doesn't wait until its queue has given the request up.
"""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import UUID, uuid4

import psycopg2

from billing_app.adapters.reply_queues import reply_queue, reply_queue_prefixes
from tools.deploy_check.cloud import Cloud
from tools.deploy_check.errors import DeployCheckError
from tools.deploy_check.functions import Functions
from tools.deploy_check.journey import Resident
from tools.local.gateway.document import example_bodies
from tools.local.lambda_events import sqs_event

_SWEEPS = 5
# As long as the emulator may take to date a new queue back.
_AGING_SECONDS = 1.0


def body_of(operation: str, resident: Resident, queue_name: UUID) -> dict[str, Any]:
    """Return the contract's example for an operation, with a login that exists."""
    login = {"username": resident.username, "password": resident.password}
    body = login if operation == "auth" else example_bodies()[operation]
    return {**body, "queue_name": str(queue_name)}


class Requests:
    """Hands requests of one resident to the functions and looks for the replies."""

    def __init__(self, cloud: Cloud, functions: Functions, resident: Resident) -> None:
        self._sqs, self._prefix, self._region = cloud.client("sqs"), cloud.prefix, cloud.region
        self._functions, self._resident = functions, resident

    def is_answered(self, operation: str) -> bool:
        """Hand over one request and tell whether a reply came; a rejection is a reply, too."""
        queue_name = uuid4()
        queue_arn = f"arn:aws:sqs:::{self._prefix}-{operation}"
        message = self._message(operation, queue_name)
        event = sqs_event([message], queue_arn=queue_arn, region=self._region)
        self._functions.invoke(operation, event)
        subject = None if operation == "auth" else UUID(self._resident.subject)
        return self._has_reply(
            reply_queue(prefix=self._prefix, subject=subject, queue_name=queue_name)
        )

    def _message(self, operation: str, queue_name: UUID) -> dict[str, Any]:
        attributes = {"request_id": str(uuid4())}
        if operation != "auth":
            attributes["subject"] = self._resident.subject
            attributes["apartment_id"] = self._resident.apartment_id
        sent = str(int(time.time() * 1000))
        return {
            "MessageId": str(uuid4()),
            "ReceiptHandle": "none",
            "Body": json.dumps(body_of(operation, self._resident, queue_name)),
            "Attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": sent},
            "MessageAttributes": {
                name: {"StringValue": value, "DataType": "String"}
                for name, value in attributes.items()
            },
        }

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

    def __init__(self, cloud: Cloud, requests: Requests) -> None:
        self._sqs, self._requests = cloud.client("sqs"), requests
        self._database_url = cloud.environment.database_url
        self._prefixes = reply_queue_prefixes(prefix=cloud.prefix)

    def create_expired(self) -> None:
        """Have a queue of each kind created, and expire."""
        for operation in ("auth", "utils"):
            self._requests.is_answered(operation)
        self._expire()

    def sweep(self, functions: Functions) -> int:
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
            deleted += int(functions.sweep()["deleted"])
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
