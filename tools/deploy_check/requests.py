"""Requests as the gateway puts them on the queues, handed to a function by hand.

That way a function that is rejected something can be watched without waiting until its queue has
given the request up.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from billing_app.adapters.queue_names import reply_queue
from tools.deploy_check.cloud import Cloud
from tools.deploy_check.operator_client import OperatorLedger, Resident

Json = dict[str, Any]


def bodies(resident: Resident, bill_id: str) -> dict[str, Json]:
    """Return a body for each operation, without its queue name."""
    return {
        "auth": {"username": resident.username, "password": resident.password},
        "utils": {},
        "histories": {"date_up": None, "date_down": None},
        "payments": {"bills_id": [bill_id]},
    }


class Requests:
    """Hands requests of one resident to the functions and looks for the replies."""

    def __init__(
        self, cloud: Cloud, ledger: OperatorLedger, *, prefix: str, resident: Resident
    ) -> None:
        self._sqs = cloud.client("sqs")
        self._ledger = ledger
        self._prefix = prefix
        self._resident = resident

    def is_answered(self, operation: str, body: Mapping[str, Any]) -> bool:
        """Hand over one request and tell whether a reply came."""
        queue_name = uuid4()
        event = {"Records": [self._record(operation, {**body, "queue_name": str(queue_name)})]}
        self._ledger.invoke(operation, event)
        return self._has_reply(self._reply_queue(operation, queue_name))

    def _record(self, operation: str, body: Json) -> Json:
        attributes = {"request_id": str(uuid4())}
        if operation != "auth":
            attributes["subject"] = self._resident.subject
            attributes["apartment_id"] = self._resident.apartment_id
        return {
            "messageId": str(uuid4()),
            "receiptHandle": "by-hand",
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
