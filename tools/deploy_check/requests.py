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
from tools.local.service import service

_SWEEPS = 5
# What no function gives a reply queue.
_OTHER = {"VisibilityTimeout": "30"}


def body_of(operation: str, resident: Resident, queue_name: UUID) -> dict[str, Any]:
    """Return the contract's example for an operation, with a login that exists."""
    login = {"username": resident.username, "password": resident.password}
    body = login if operation == "auth" else example_bodies()[operation]
    return {**body, "queue_name": str(queue_name)}


class Requests:
    """Hands requests of one resident to the functions and looks for the replies."""

    def __init__(self, cloud: Cloud, functions: Functions, resident: Resident) -> None:
        self._sqs, self._prefix, self._region = cloud.client("sqs"), cloud.prefix, cloud.region
        self._reader = cloud.in_role(cloud.outputs["gateway_role_arn"], "sqs")
        self._functions, self._resident = functions, resident

    def is_answered(self, operation: str, *, queue: str = "new") -> bool:
        """Hand over one request and tell whether a reply came; a rejection is a reply, too.

        The reply queue is new, "differs" from what the function makes, or was "deleted" just now.
        """
        queue_name = uuid4()
        subject = None if operation == "auth" else UUID(self._resident.subject)
        name = reply_queue(prefix=self._prefix, subject=subject, queue_name=queue_name)
        if queue != "new":
            url = self._sqs.create_queue(QueueName=name, Attributes=_OTHER)["QueueUrl"]
        if queue == "deleted":
            self._sqs.delete_queue(QueueUrl=url)
        queue_arn = f"arn:aws:sqs:::{self._prefix}-{operation}"
        message = self._message(operation, queue_name)
        event = sqs_event([message], queue_arn=queue_arn, region=self._region)
        self._functions.invoke(operation, event)
        return self._has_reply(name)

    def meet_other_queues(self) -> None:
        """Have each function adjust a reply queue, and put a request off.

        Raises:
            DeployCheckError: it does not answer on the one, or answers on the other.
        """
        for operation in service().queues:
            for queue, answered in (("differs", True), ("deleted", False)):
                if self.is_answered(operation, queue=queue) != answered:
                    raise DeployCheckError(f"{operation}: wrong with a reply queue that {queue}")

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
        return bool(self.take_replies(url))

    def take_replies(self, url: str) -> int:
        """Take the replies off a queue as the gateway does, who alone may; returns how many."""
        messages = self._reader.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
            "Messages", []
        )
        for message in messages:
            self._reader.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(messages)


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
        for url in self.urls():
            # Replies that nobody fetched run out by themselves, after a quarter of an hour.
            while self._requests.take_replies(url):
                pass
        for _ in range(_SWEEPS):
            self._expire()
            deleted += int(functions.sweep()["deleted"])
            if not self.urls():
                return deleted
        raise DeployCheckError(f"The sweeper leaves reply queues: {self.urls()}")

    def _expire(self) -> None:
        connection: Any = psycopg2.connect(self._database_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE billing.reply_queues"
                    " SET expires_at = now() - interval '1 hour', claimed_until = NULL"
                )
        finally:
            connection.close()

    def urls(self) -> list[str]:
        """List all reply queues."""
        found = [self._sqs.list_queues(QueueNamePrefix=prefix) for prefix in self._prefixes]
        return [url for answer in found for url in answer.get("QueueUrls", [])]
