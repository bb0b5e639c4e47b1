"""SQS records as Lambda hands them to a function."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

QUEUE = UUID("11111111-2222-3333-4444-555555555555")


def a_record(
    body: Any = None,
    *,
    subject: UUID | str | None = None,
    apartment: UUID | str | None = None,
    key: str | None = None,
    request_id: str | None = None,
    receive_count: int = 1,
    requested_at: datetime | None = None,
) -> dict[str, Any]:
    """Return a record whose body is JSON of `body` with a queue name, or `body` if it is text."""
    attributes = {
        "request_id": request_id or str(uuid4()),
        "subject": subject,
        "apartment_id": apartment,
        "idempotency_key": key,
        "requested_at": requested_at and round(requested_at.timestamp() * 1000),
    }
    text = body if isinstance(body, str) else json.dumps({"queue_name": str(QUEUE), **(body or {})})
    return {
        "messageId": str(uuid4()),
        "receiptHandle": "handle",
        "body": text,
        "attributes": {
            "ApproximateReceiveCount": str(receive_count),
            "SentTimestamp": str(round(datetime.now(UTC).timestamp() * 1000)),
        },
        "messageAttributes": {
            name: {"stringValue": str(value), "dataType": "String"}
            for name, value in attributes.items()
            if value is not None
        },
        "eventSource": "aws:sqs",
    }
