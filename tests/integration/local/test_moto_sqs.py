"""Moto's queues, as we run them, lose and double nothing."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tools.local.moto_sqs import DependableSQSBackend

QUEUE = "requests"


@pytest.fixture
def backend() -> Any:
    backend: Any = DependableSQSBackend("eu-central-1", "123456789012")
    backend.create_queue(QUEUE, VisibilityTimeout=30)
    return backend


def receive(backend: Any, *, wait_seconds: int = 0) -> list[str]:
    messages = backend.receive_message(QUEUE, 1, wait_seconds, 30)
    for message in messages:
        backend.delete_message(QUEUE, message.receipt_handle)
    return [message.body for message in messages]


def test_many_senders_and_receivers_hand_over_each_message_once(backend: Any) -> None:
    sent = [f"{sender}-{n}" for sender in range(4) for n in range(30)]
    received: list[str] = []
    deadline = time.monotonic() + 20

    def send(sender: int) -> None:
        for n in range(30):
            backend.send_message(QUEUE, f"{sender}-{n}")

    def work() -> None:
        while len(received) < len(sent) and time.monotonic() < deadline:
            received.extend(receive(backend, wait_seconds=1))

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(work) for _ in range(4)]
        jobs += [pool.submit(send, sender) for sender in range(4)]
        for job in jobs:
            job.result()
    assert sorted(received) == sorted(sent)


def test_a_waiting_receiver_gets_a_message_as_it_comes(backend: Any) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(receive, backend, wait_seconds=10)
        backend.send_message(QUEUE, "late")
        assert waiting.result(timeout=5) == ["late"]


def test_a_message_past_its_retention_is_gone_and_hides_no_other(backend: Any) -> None:
    old = backend.send_message(QUEUE, "old")
    old.sent_timestamp -= 5 * 86_400 * 1000
    backend.send_message(QUEUE, "new")
    assert receive(backend) == ["new"]
    assert backend.get_queue_attributes(QUEUE, ["All"])["ApproximateNumberOfMessages"] == 0
