"""Events, contexts and answers are those of Lambda."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tools.local.lambda_events import LambdaContext, failed_messages, scheduled_event, sqs_event

IDS = ["a", "b", "c"]


def failures(*ids: object) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in ids]}


@pytest.mark.parametrize("answer", [None, {}, failures(), {"batchItemFailures": None}])
def test_nothing_reported_means_that_all_went_well(answer: object) -> None:
    assert failed_messages(answer, IDS) == set()


def test_only_the_reported_messages_failed() -> None:
    assert failed_messages(failures("b"), IDS) == {"b"}


@pytest.mark.parametrize(
    "answer",
    [
        failures(""),
        failures(None),
        failures("unknown"),
        failures("a", "unknown"),
        {"batchItemFailures": [{"id": "a"}]},
        {"batchItemFailures": ["a"]},
        {"batchItemFailures": "a"},
        {"batchItemFailures": [{"itemIdentifier": {"a": 1}}]},
        "text",
        ["a"],
        {"batchItemFailures": object()},
        7,
    ],
)
def test_a_malformed_answer_fails_the_whole_batch(answer: object) -> None:
    assert failed_messages(answer, IDS) == set(IDS)


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


def test_a_context_counts_down_to_zero() -> None:
    context = LambdaContext(function_name="utils", region="eu-central-1", timeout_seconds=0.05)
    assert 0 < context.get_remaining_time_in_millis() <= 50
    time.sleep(0.06)
    assert context.get_remaining_time_in_millis() == 0


def test_each_call_has_a_request_id_of_its_own() -> None:
    contexts = [
        LambdaContext(function_name="utils", region="eu-central-1", timeout_seconds=1)
        for _ in range(2)
    ]
    assert contexts[0].aws_request_id != contexts[1].aws_request_id


def test_a_scheduled_event_names_its_rule() -> None:
    event = scheduled_event(rule="sweep", region="eu-central-1")
    assert event["detail-type"] == "Scheduled Event"
    assert event["resources"] == ["arn:aws:events:eu-central-1:123456789012:rule/sweep"]
