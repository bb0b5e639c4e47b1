"""A message that always fails must end in the dead-letter queue, and come out of it again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from tools.deploy_check.cloud import Cloud
from tools.deploy_check.errors import DeployCheckError

_WAIT_SECONDS = 90.0
# As applied, the queue gives a message back after minutes: six times the function's timeout.
_VISIBILITY_SECONDS = "1"
# Nobody can be answered who is not named, so a request without its attributes fails each time.
_BODY = '{"poison": true}'


def try_poison(cloud: Cloud) -> int:
    """Send one as the gateway and take it off the dead-letter queue as the operator would.

    Returns how often it was received before.

    Raises:
        DeployCheckError: it does not get there.
    """
    sqs, outputs = cloud.client("sqs"), cloud.outputs
    queue_url = outputs["request_queue_urls"]["payments"]
    dead_name = outputs["dead_letter_queue_arns"]["payments"].rpartition(":")[2]
    dead_url = sqs.get_queue_url(QueueName=dead_name)["QueueUrl"]
    marker = f'{_BODY[:-1]}, "marker": "{uuid4()}"}}'
    with _short_visibility(sqs, queue_url):
        gateway = cloud.in_role(outputs["gateway_role_arn"], "sqs")
        gateway.send_message(QueueUrl=queue_url, MessageBody=marker)
        return _take(cloud.in_role(outputs["redrive_role_arn"], "sqs"), dead_url, marker)


@contextmanager
def _short_visibility(sqs: Any, queue_url: str) -> Iterator[None]:
    """Have the queue give failed messages back at once while the block runs."""
    name = "VisibilityTimeout"
    applied = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={name: _VISIBILITY_SECONDS})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={name: applied[name]})


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
