"""A message that always fails must end in the dead-letter queue, and come out of it again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from tools.deploy_check.cloud import Cloud
from tools.deploy_check.errors import DeployCheckError
from tools.local.service import service

_WAIT_SECONDS = 90.0
# As applied, a queue gives a message back after minutes: six times the function's timeout.
_VISIBILITY_SECONDS = "1"
_VISIBILITY = "VisibilityTimeout"


def try_poison(cloud: Cloud) -> Mapping[str, int]:
    """Send one to each queue as the gateway, and take it off its dead-letter queue as operators do.

    Returns how often each was received before, by operation.

    Raises:
        DeployCheckError: one does not get there, comes too early or late, or a queue's own
            visibility is not six times its function's timeout.
    """
    dead_letters = cloud.outputs["dead_letter_queue_arns"]
    received = {operation: _received(cloud, operation) for operation in dead_letters}
    expected = service().max_receive_count
    wrong = {name: times for name, times in received.items() if times != expected}
    if wrong or not received:
        raise DeployCheckError(f"Poison is given up after {expected} receives, not so: {wrong}")
    return received


def _received(cloud: Cloud, operation: str) -> int:
    sqs, outputs = cloud.client("sqs"), cloud.outputs
    queue_url = outputs["request_queue_urls"][operation]
    dead_name = outputs["dead_letter_queue_arns"][operation].rpartition(":")[2]
    dead_url = sqs.get_queue_url(QueueName=dead_name)["QueueUrl"]
    # Nobody can be answered who is not named, so a request without attributes fails each time.
    body = f'{{"poison": "{uuid4()}"}}'
    _require_visibility(cloud, operation)
    with _short_visibility(sqs, queue_url):
        gateway = cloud.in_role(outputs["gateway_role_arn"], "sqs")
        gateway.send_message(QueueUrl=queue_url, MessageBody=body)
        times = _take(cloud.in_role(outputs["redrive_role_arn"], "sqs"), dead_url, body)
    _require_visibility(cloud, operation)
    return times


def _require_visibility(cloud: Cloud, operation: str) -> None:
    """Look at what was applied, which the check shortens only for a while."""
    name = cloud.outputs["function_names"][operation]
    function = cloud.client("lambda").get_function_configuration(FunctionName=name)
    expected = service().visibility_timeouts * function["Timeout"]
    applied = _visibility(cloud.client("sqs"), cloud.outputs["request_queue_urls"][operation])
    if int(applied) != expected:
        raise DeployCheckError(f"{operation} hides a request for {applied} s, not for {expected}.")


def _visibility(sqs: Any, queue_url: str) -> str:
    found = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[_VISIBILITY])
    return str(found["Attributes"][_VISIBILITY])


@contextmanager
def _short_visibility(sqs: Any, queue_url: str) -> Iterator[None]:
    """Have the queue give failed messages back at once while the block runs."""
    applied = _visibility(sqs, queue_url)
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={_VISIBILITY: _VISIBILITY_SECONDS})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={_VISIBILITY: applied})


def _take(operator: Any, dead_url: str, body: str) -> int:
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        found = operator.receive_message(
            QueueUrl=dead_url, WaitTimeSeconds=2, MessageSystemAttributeNames=["All"]
        )
        for message in found.get("Messages", ()):
            operator.delete_message(QueueUrl=dead_url, ReceiptHandle=message["ReceiptHandle"])
            if message["Body"] == body:
                return int(message["Attributes"]["ApproximateReceiveCount"]) - 1
    raise DeployCheckError(f"The poison message was not in {dead_url} after {_WAIT_SECONDS:.0f} s.")
