"""What Lambda hands to a function, and what it makes of the answer."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tools.local.settings import ACCOUNT_ID


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


def failed_messages(answer: Any, message_ids: Sequence[str]) -> set[str]:
    """Say which messages of a batch failed, by the function's answer.

    As in Lambda with ReportBatchItemFailures: nothing reported means that all went well; an answer
    that isn't JSON, or that names something else than a message of this batch, fails them all.
    """
    everything = set(message_ids)
    try:
        answer = json.loads(json.dumps(answer))
        failures = None if answer is None else answer.get("batchItemFailures")
        if not isinstance(failures, list | None):
            return everything
        reported = {item["itemIdentifier"] for item in failures or []}
    except (AttributeError, KeyError, TypeError, ValueError):
        return everything
    return everything if reported - everything else reported


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
