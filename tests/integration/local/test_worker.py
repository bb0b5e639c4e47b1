"""A worker treats messages as Lambda's event source mapping does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from chalice.local import LambdaContext

from tools.local.clients import Clients
from tools.local.worker import Function, Worker

Make = Callable[..., Worker]
QUEUE = "test-payments"


@pytest.fixture
def sqs(clients: Clients) -> Any:
    return clients.sqs


@pytest.fixture
def url(sqs: Any) -> str:
    """A queue whose messages are visible again at once, with a dead-letter queue behind it."""
    dead = sqs.create_queue(QueueName=f"{QUEUE}-dlq")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
    policy = {"deadLetterTargetArn": arn["Attributes"]["QueueArn"], "maxReceiveCount": 3}
    attributes = {"VisibilityTimeout": "0", "RedrivePolicy": json.dumps(policy)}
    return str(sqs.create_queue(QueueName=QUEUE, Attributes=attributes)["QueueUrl"])


@pytest.fixture
def make(sqs: Any, url: str) -> Make:
    """Send messages and make a worker for them."""

    def make(function: Function, *bodies: str, batch_size: int = 10) -> Worker:
        for body in bodies:
            sqs.send_message(QueueUrl=url, MessageBody=body)
        return Worker(
            sqs=sqs,
            queue_name=QUEUE,
            function=function,
            name="payments",
            batch_size=batch_size,
            timeout_seconds=5,
        )

    return make


def waiting(sqs: Any, url: str) -> int:
    attributes = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=attributes)["Attributes"]
    return sum(int(count) for count in counts.values())


def failing(*bodies: str) -> Function:
    """A function that reports the messages with these bodies as failed."""

    def function(event: dict[str, Any], context: LambdaContext) -> Any:
        records = [record for record in event["Records"] if record["body"] in bodies]
        return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in records]}

    return function


def raising(event: dict[str, Any], context: LambdaContext) -> Any:
    raise RuntimeError("out of order")


def test_what_failed_stays_and_the_rest_is_deleted(sqs: Any, url: str, make: Make) -> None:
    make(failing("two"), "one", "two", "three").work()
    left = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in left] == ["two"]


@pytest.mark.parametrize("function", [raising, lambda _event, _context: "malformed"])
def test_an_exception_or_a_malformed_answer_fails_the_batch(
    sqs: Any, url: str, make: Make, function: Function
) -> None:
    make(function, "one", "two").work()
    assert waiting(sqs, url) == 2


def test_a_failed_message_is_hidden_until_its_visibility_timeout(
    sqs: Any, url: str, make: Make
) -> None:
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "30"})
    worker = make(raising, "one")
    assert [worker.work(), worker.work()] == [1, 0]


def test_a_message_that_always_fails_is_received_three_times_and_then_dead(
    sqs: Any, url: str, make: Make
) -> None:
    counts: list[str] = []

    def function(event: dict[str, Any], context: LambdaContext) -> Any:
        counts.append(event["Records"][0]["attributes"]["ApproximateReceiveCount"])
        return raising(event, context)

    worker = make(function, "poison")
    for _ in range(5):
        worker.work()
    dead = sqs.get_queue_url(QueueName=f"{QUEUE}-dlq")["QueueUrl"]
    assert counts == ["1", "2", "3"]
    assert (waiting(sqs, url), waiting(sqs, dead)) == (0, 1)


def test_a_function_gets_no_more_messages_than_its_batch_size(
    sqs: Any, url: str, make: Make
) -> None:
    assert make(failing(), "one", "two", batch_size=1).work() == 1
    assert waiting(sqs, url) == 1


def test_a_stopped_worker_finishes_its_event_and_takes_no_other(
    sqs: Any, url: str, make: Make
) -> None:
    def function(event: dict[str, Any], context: LambdaContext) -> None:
        worker.stop()

    worker = make(function, "one", "two", batch_size=1)
    worker.run()
    assert waiting(sqs, url) == 1
