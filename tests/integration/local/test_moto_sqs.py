"""Moto's queues, as we run them, lose and double nothing, and keep a deleted one's name back."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tools.local import moto_sqs
from tools.local.moto_sqs import DependableSQSBackend, QueueDeletedRecently

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


def test_who_takes_the_functions_time_waits_behind_everybody_else(backend: Any) -> None:
    for name in ("flood 1", "flood 2", "flood 3", "anna 1", "flood 4", "zoe 1", "anna 2"):
        backend.send_message(QUEUE, name, group_id=name.split()[0])
    received = backend.receive_message(QUEUE, 1, 0, 30)
    assert receive(backend) == ["anna 1"]
    received += backend.receive_message(QUEUE, 10, 0, 30)
    order = "flood 1", "zoe 1", "anna 2", "flood 2", "flood 3", "flood 4"
    assert tuple(one.body for one in received) == order
    for one in received:
        backend.delete_message(QUEUE, one.receipt_handle)
    # Whose backlog is gone is nobody's nuisance any more.
    backend.send_message(QUEUE, "flood 5", group_id="flood")
    backend.send_message(QUEUE, "anna 3", group_id="anna")
    assert receive(backend) + receive(backend) == ["flood 5", "anna 3"]


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


def test_a_deleted_queues_name_is_free_again_after_a_minute(
    backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.delete_queue(QUEUE)
    with pytest.raises(QueueDeletedRecently):
        backend.create_queue(QUEUE)
    monkeypatch.setattr(moto_sqs, "time", lambda: time.time() + 61)
    assert backend.create_queue(QUEUE).name == QUEUE
