"""A worker process keeps to its function's timeout and finishes what it has begun."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tools.local import processes
from tools.local.clients import Clients
from tools.local.servers import EmbeddedAws
from tools.local.settings import REPOSITORY

QUEUE = "test-slow"
# A function that says when it starts and takes as long as it is told to.
WORKER = """
import sys, time
from tools.local.clients import Clients
from tools.local.processes import stop_on_signals
from tools.local.worker import Worker

def slow(event, context):
    print("started", flush=True)
    time.sleep(float(sys.argv[2]))

sqs = Clients(endpoint_url=sys.argv[1], region="eu-central-1").sqs
worker = Worker(
    sqs=sqs,
    queue_name="test-slow",
    function=slow,
    name="slow",
    batch_size=1,
    timeout_seconds=float(sys.argv[3]),
)
stop_on_signals(worker.stop)
worker.run()
"""


@pytest.fixture
def sqs(aws: EmbeddedAws) -> Any:
    sqs = Clients(endpoint_url=aws.url, region="eu-central-1").sqs
    url = sqs.create_queue(QueueName=QUEUE, Attributes={"VisibilityTimeout": "2"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="work")
    return sqs


def start_worker(url: str, log: Path, *, takes: float, timeout: float) -> Any:
    command = [sys.executable, "-c", WORKER, url, str(takes), str(timeout)]
    worker = processes.spawn(command, log=log, folder=REPOSITORY)
    while b"started" not in log.read_bytes():
        assert worker.poll() is None, log.read_text()
        time.sleep(0.02)
    return worker


def receive(sqs: Any, *, wait_seconds: int) -> list[str]:
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    answer = sqs.receive_message(
        QueueUrl=url, WaitTimeSeconds=wait_seconds, MessageSystemAttributeNames=["All"]
    )
    counts = (m["Attributes"]["ApproximateReceiveCount"] for m in answer.get("Messages", []))
    return list(counts)


def test_a_call_past_its_timeout_ends_the_process_and_the_message_comes_back(
    aws: EmbeddedAws, sqs: Any, tmp_path: Path
) -> None:
    worker = start_worker(aws.url, tmp_path / "log", takes=60, timeout=0.5)
    assert worker.wait(timeout=20) == -signal.SIGALRM
    assert receive(sqs, wait_seconds=10) == ["2"]


def test_a_worker_ends_soon_when_it_has_nothing_to_do(
    aws: EmbeddedAws, sqs: Any, tmp_path: Path
) -> None:
    worker = start_worker(aws.url, tmp_path / "log", takes=0, timeout=5)
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(timeout=0.5)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=10) == 0
