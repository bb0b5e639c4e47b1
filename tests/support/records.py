"""SQS records as Lambda hands them to a function."""

from __future__ import annotations

import json
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
) -> dict[str, Any]:
    """Return a record whose body is JSON of `body` with a queue name, or `body` if it is text."""
    attributes = {
        "request_id": request_id or str(uuid4()),
        "subject": subject,
        "apartment_id": apartment,
        "idempotency_key": key,
    }
    text = body if isinstance(body, str) else json.dumps({"queue_name": str(QUEUE), **(body or {})})
    return {
        "messageId": str(uuid4()),
        "receiptHandle": "handle",
        "body": text,
        "attributes": {"ApproximateReceiveCount": str(receive_count)},
        "messageAttributes": {
            name: {"stringValue": str(value), "dataType": "String"}
            for name, value in attributes.items()
            if value is not None
        },
        "eventSource": "aws:sqs",
    }
