"""Events and answers are those of Lambda."""

from __future__ import annotations

from typing import Any

import pytest

from tools.local.lambda_events import failed_messages, scheduled_event, sqs_event

ALL = {"a", "b", "c"}


def failures(*ids: object) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in ids]}


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        *[(answer, set()) for answer in (None, {}, failures(), {"batchItemFailures": None})],
        (failures("b"), {"b"}),
        (failures(""), ALL),
        (failures(None), ALL),
        (failures("unknown"), ALL),
        (failures("a", "unknown"), ALL),
        (failures({"a": 1}), ALL),
        ({"batchItemFailures": [{"id": "a"}]}, ALL),
        ({"batchItemFailures": ["a"]}, ALL),
        ({"batchItemFailures": "a"}, ALL),
        ({"batchItemFailures": {}}, ALL),
        ({"batchItemFailures": object()}, ALL),
        ("text", ALL),
        (["a"], ALL),
        ([], ALL),
        (7, ALL),
    ],
)
def test_only_the_reported_messages_failed_or_all_when_the_answer_is_malformed(
    answer: object, failed: set[str]
) -> None:
    assert failed_messages(answer, ["a", "b", "c"]) == failed


def test_a_record_has_the_shape_that_lambda_gives_it() -> None:
    message = {
        "MessageId": "a",
        "ReceiptHandle": "r",
        "Body": "тіло",
        "MD5OfBody": "0",
        "Attributes": {"ApproximateReceiveCount": "2"},
        "MessageAttributes": {"subject": {"StringValue": "s", "DataType": "String"}},
    }
    event = sqs_event([message], queue_arn="arn:q", region="eu-central-1")
    assert event == {
        "Records": [
            {
                "messageId": "a",
                "receiptHandle": "r",
                "body": "тіло",
                "attributes": {"ApproximateReceiveCount": "2"},
                "messageAttributes": {
                    "subject": {
                        "stringValue": "s",
                        "stringListValues": [],
                        "binaryListValues": [],
                        "dataType": "String",
                    }
                },
                "md5OfBody": "0",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:q",
                "awsRegion": "eu-central-1",
            }
        ]
    }


def test_a_scheduled_event_names_its_rule() -> None:
    event = scheduled_event(rule="sweep", region="eu-central-1")
    assert event["detail-type"] == "Scheduled Event"
    assert event["resources"] == ["arn:aws:events:eu-central-1:123456789012:rule/sweep"]
