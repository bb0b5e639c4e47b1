"""The AWS proxy sees SQS's part of a request's way, and SQS misbehaves as it is told."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tools.chaos.proxies import AwsProxy, StepEvent, sqs
from tools.local.processes import free_port, listens
from tools.local.settings import LOCAL_CREDENTIALS, REPOSITORY


@pytest.fixture(scope="module")
def server_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port, users = free_port(), tmp_path_factory.mktemp("aws") / "cognito.json"
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "tools.local.aws", "--port", str(port)),
            *("--region", "eu-central-1", "--cognito-file", str(users)),
        ],
        cwd=Path(REPOSITORY),
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while not listens(f"http://127.0.0.1:{port}"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield port
    server.terminate()
    server.wait(20)


@pytest.fixture
def proxy(server_port: int) -> Iterator[AwsProxy]:
    with AwsProxy(server_port) as proxy:
        yield proxy


def sqs_client(port: int, *, read_timeout: int = 30) -> Any:
    """Give a client that tries once."""
    options: dict[str, Any] = {name.lower(): value for name, value in LOCAL_CREDENTIALS.items()}
    options["endpoint_url"] = f"http://127.0.0.1:{port}"
    options["region_name"] = "eu-central-1"
    options["config"] = Config(retries={"total_max_attempts": 1}, read_timeout=read_timeout)
    return boto3.client("sqs", **options)


@pytest.fixture
def client(proxy: AwsProxy) -> Iterator[Any]:
    client = sqs_client(proxy.port)
    yield client
    client.close()


@pytest.fixture
def queue(client: Any) -> Iterator[str]:
    url = client.create_queue(QueueName="t-payments", Attributes={"VisibilityTimeout": "60"})
    yield url["QueueUrl"]
    client.delete_queue(QueueUrl=url["QueueUrl"])


def send(client: Any, queue: str, body: str = "b & c") -> None:
    client.send_message(QueueUrl=queue, MessageBody=body)


def receive(client: Any, queue: str, wait: int = 0) -> list[dict[str, Any]]:
    answer = client.receive_message(
        QueueUrl=queue,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=wait,
        MessageSystemAttributeNames=["All"],
    )
    return list(answer.get("Messages", []))


def delete(client: Any, queue: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [
        {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]}
        for n, message in enumerate(messages)
    ]
    answer: dict[str, Any] = client.delete_message_batch(QueueUrl=queue, Entries=entries)
    return answer


def test_the_steps_are_told_with_queue_and_process(
    proxy: AwsProxy, client: Any, queue: str
) -> None:
    seen: list[tuple[str, str, str, int | None]] = []
    replies = client.create_queue(QueueName="t-r-1")["QueueUrl"]

    def watch(moment: StepEvent) -> None:
        seen.append((moment.step, moment.operation, moment.queue, moment.pid))

    with proxy.watching(watch):
        assert receive(client, queue) == []
        send(client, queue)
        messages = receive(client, queue)
        send(client, replies)
        assert len(receive(client, replies)) == 1
        delete(client, queue, messages)
    me = os.getpid()
    assert seen == [
        ("received", "payments", "t-payments", me),
        ("replied", "", "t-r-1", me),
        ("before_delete", "payments", "t-payments", me),
    ]


def test_a_line_cut_at_received_hides_the_message(proxy: AwsProxy, client: Any, queue: str) -> None:
    send(client, queue)
    with proxy.watching(StepEvent.cut), pytest.raises(BotoCoreError):
        receive(client, queue)
    assert receive(client, queue) == []


def test_a_duplicate_is_a_second_message(proxy: AwsProxy, client: Any, queue: str) -> None:
    with proxy.applying(sqs.duplicate(sqs.times(1))):
        send(client, queue, "twice")
        send(client, queue, "once")
    bodies = sorted(message["Body"] for message in receive(client, queue))
    assert bodies == ["once", "twice", "twice"]


def test_a_redelivered_message_is_the_same_message(
    proxy: AwsProxy, client: Any, queue: str
) -> None:
    send(client, queue)
    with proxy.applying(sqs.redeliver()):
        first, second, third = (receive(client, queue) for _ in range(3))
    assert [message["MessageId"] for message in first] == [m["MessageId"] for m in second]
    assert third == []
    assert delete(client, queue, first)["Successful"]


def test_a_late_message_is_overtaken(proxy: AwsProxy, client: Any, queue: str) -> None:
    with proxy.applying(sqs.late(2, sqs.times(1))):
        send(client, queue, "first")
        send(client, queue, "second")
    assert [message["Body"] for message in receive(client, queue)] == ["second"]
    assert [message["Body"] for message in receive(client, queue, wait=10)] == ["first"]


def test_a_failed_send_sends_nothing(proxy: AwsProxy, client: Any, queue: str) -> None:
    with proxy.applying(sqs.failed_send()), pytest.raises(ClientError, match="InternalFailure"):
        send(client, queue)
    assert receive(client, queue) == []


@pytest.mark.parametrize("cut", [True, False])
def test_an_ambiguous_send_sends(proxy: AwsProxy, client: Any, queue: str, cut: bool) -> None:
    with (
        proxy.applying(sqs.ambiguous_send(cut=cut)),
        pytest.raises((ClientError, BotoCoreError)),
    ):
        send(client, queue)
    assert len(receive(client, queue)) == 1


def test_a_lost_delete_is_confirmed_and_deletes_nothing(
    proxy: AwsProxy, client: Any, queue: str
) -> None:
    send(client, queue)
    message = receive(client, queue)[0]
    with proxy.applying(sqs.lost_delete()):
        assert [done["Id"] for done in delete(client, queue, [message])["Successful"]] == ["0"]
        client.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    client.change_message_visibility(
        QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
    )
    assert len(receive(client, queue)) == 1


def test_rules_apply_one_within_the_other(proxy: AwsProxy, client: Any, queue: str) -> None:
    with (
        proxy.applying(sqs.duplicate()),
        proxy.applying(sqs.ambiguous_send(cut=True)),
        pytest.raises(BotoCoreError),
    ):
        send(client, queue)
    assert len(receive(client, queue)) == 1


def test_a_receiver_that_went_away_takes_no_message(
    proxy: AwsProxy, client: Any, queue: str
) -> None:
    hasty = sqs_client(proxy.port, read_timeout=1)
    with pytest.raises(BotoCoreError):
        receive(hasty, queue, wait=20)
    hasty.close()
    send(client, queue)
    assert len(receive(client, queue, wait=5)) == 1
