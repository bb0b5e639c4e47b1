"""A worker treats messages as Lambda's event source mapping does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tools.local.clients import Clients
from tools.local.lambda_events import LambdaContext
from tools.local.service import service
from tools.local.worker import Source, Worker, find_source

Function = Callable[[dict[str, Any], LambdaContext], Any]
PREFIX = "test"


@pytest.fixture
def sqs(clients: Clients) -> Any:
    return clients.sqs


@pytest.fixture
def source(sqs: Any) -> Source:
    """A queue whose messages are visible again at once, with a dead-letter queue behind it."""
    dead = sqs.create_queue(QueueName="test-payments-dlq")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
    policy = {"deadLetterTargetArn": arn["Attributes"]["QueueArn"], "maxReceiveCount": 3}
    attributes = {"VisibilityTimeout": "0", "RedrivePolicy": json.dumps(policy)}
    sqs.create_queue(QueueName="test-payments", Attributes=attributes)
    return find_source(
        sqs, prefix=PREFIX, function_name="payments", batch_size=10, timeout_seconds=5
    )


def send(sqs: Any, source: Source, *bodies: str) -> None:
    for body in bodies:
        sqs.send_message(QueueUrl=source.queue_url, MessageBody=body)


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


def test_what_succeeded_is_deleted(sqs: Any, source: Source) -> None:
    send(sqs, source, "one", "two")
    handled = Worker(sqs=sqs, source=source, function=failing()).work()
    assert (handled, waiting(sqs, source.queue_url)) == (2, 0)


def test_what_failed_stays_and_the_rest_is_deleted(sqs: Any, source: Source) -> None:
    send(sqs, source, "one", "two", "three")
    Worker(sqs=sqs, source=source, function=failing("two")).work()
    left = sqs.receive_message(QueueUrl=source.queue_url, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in left] == ["two"]


@pytest.mark.parametrize("function", [raising, lambda _event, _context: "malformed"])
def test_an_exception_or_a_malformed_answer_fails_the_batch(
    sqs: Any, source: Source, function: Function
) -> None:
    send(sqs, source, "one", "two")
    Worker(sqs=sqs, source=source, function=function).work()
    assert waiting(sqs, source.queue_url) == 2


def test_a_failed_message_is_hidden_until_its_visibility_timeout(sqs: Any, source: Source) -> None:
    sqs.set_queue_attributes(QueueUrl=source.queue_url, Attributes={"VisibilityTimeout": "30"})
    send(sqs, source, "one")
    worker = Worker(sqs=sqs, source=source, function=raising)
    assert [worker.work(), worker.work()] == [1, 0]


def test_a_message_that_always_fails_is_received_three_times_and_then_dead(
    sqs: Any, source: Source
) -> None:
    counts: list[str] = []

    def function(event: dict[str, Any], context: LambdaContext) -> Any:
        counts.append(event["Records"][0]["attributes"]["ApproximateReceiveCount"])
        return raising(event, context)

    send(sqs, source, "poison")
    worker = Worker(sqs=sqs, source=source, function=function)
    for _ in range(5):
        worker.work()
    dead = sqs.get_queue_url(QueueName="test-payments-dlq")["QueueUrl"]
    assert counts == ["1", "2", "3"]
    assert (waiting(sqs, source.queue_url), waiting(sqs, dead)) == (0, 1)


def test_a_function_gets_no_more_messages_than_its_batch_size(sqs: Any, source: Source) -> None:
    one = Source(**{**vars(source), "batch_size": 1})
    send(sqs, source, "one", "two")
    assert Worker(sqs=sqs, source=one, function=failing()).work() == 1
    assert waiting(sqs, source.queue_url) == 1


def test_attributes_and_context_reach_the_function(sqs: Any, source: Source) -> None:
    seen: list[Any] = []

    def function(event: dict[str, Any], context: LambdaContext) -> Any:
        record = event["Records"][0]
        seen.append(record["messageAttributes"]["subject"]["stringValue"])
        seen.append((context.function_name, context.get_remaining_time_in_millis() > 4000))

    attributes = {"subject": {"StringValue": "Олена", "DataType": "String"}}
    sqs.send_message(QueueUrl=source.queue_url, MessageBody="{}", MessageAttributes=attributes)
    Worker(sqs=sqs, source=source, function=function).work()
    assert seen == ["Олена", ("payments", True)]


def test_a_stopped_worker_finishes_its_event_and_takes_no_other(sqs: Any, source: Source) -> None:
    one = Source(**{**vars(source), "batch_size": 1})
    send(sqs, source, "one", "two")

    def function(event: dict[str, Any], context: LambdaContext) -> None:
        worker.stop()

    worker = Worker(sqs=sqs, source=one, function=function)
    worker.run()
    assert waiting(sqs, source.queue_url) == 1


def test_payments_and_logins_stand_alone() -> None:
    sizes = {name: service().functions[name].batch_size for name in service().queues}
    assert (sizes["auth"], sizes["payments"]) == (1, 1)
    assert 1 <= sizes["histories"] <= 10
