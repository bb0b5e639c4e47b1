"""What Lambda hands to a function, and what it makes of the answer."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tools.local.settings import ACCOUNT_ID


class LambdaContext:
    """The second argument of a function, for one call."""

    memory_limit_in_mb = "256"
    function_version = "$LATEST"

    def __init__(self, *, function_name: str, region: str, timeout_seconds: float) -> None:
        self.function_name = function_name
        self.aws_request_id = str(uuid.uuid4())
        self.invoked_function_arn = f"arn:aws:lambda:{region}:{ACCOUNT_ID}:function:{function_name}"
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = "local"
        self._deadline = time.monotonic() + timeout_seconds

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the call is ended by force; never below zero."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def sqs_event(
    messages: Sequence[Mapping[str, Any]], *, queue_arn: str, region: str
) -> dict[str, Any]:
    """Build the event for messages as ReceiveMessage returned them."""
    return {"Records": [_sqs_record(message, queue_arn, region) for message in messages]}


def scheduled_event(*, rule: str, region: str) -> dict[str, Any]:
    """Build the event that EventBridge sends on a schedule."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT_ID,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [f"arn:aws:events:{region}:{ACCOUNT_ID}:rule/{rule}"],
        "detail": {},
    }


def failed_messages(answer: object, message_ids: Sequence[str]) -> set[str]:
    """Say which messages of a batch failed, by the function's answer.

    As in Lambda with ReportBatchItemFailures: nothing reported means that all went well; an answer
    that isn't JSON, or that names something else than a message of this batch, fails them all.
    """
    try:
        answer = json.loads(json.dumps(answer))
    except (TypeError, ValueError):
        return set(message_ids)
    if answer is None:
        return set()
    reported = _reported(answer)
    if reported is None or not reported <= set(message_ids):
        return set(message_ids)
    return reported


def _reported(answer: object) -> set[str] | None:
    """Ids in a well-formed answer; None for a malformed one."""
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else False
    if failures is None:
        return set()
    if not isinstance(failures, list) or not all(isinstance(item, dict) for item in failures):
        return None
    ids = [item.get("itemIdentifier") for item in failures]
    return set(ids) if all(isinstance(identifier, str) for identifier in ids) else None


def _sqs_record(message: Mapping[str, Any], queue_arn: str, region: str) -> dict[str, Any]:
    attributes = message.get("MessageAttributes", {})
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {name: _attribute(value) for name, value in attributes.items()},
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "stringValue": value.get("StringValue"),
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value["DataType"],
    }
