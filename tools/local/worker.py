"""A worker process: `python -m tools.local.worker payments`, or `... sweep --every 60`.

It is to a function what Lambda's event source mapping is: polls the queue, calls the function with
one event at a time and deletes what succeeded. What failed stays hidden until its visibility
timeout has passed and is received again, until the queue moves it to its dead-letter queue. With
`--every` it calls the function on a schedule instead, as EventBridge does.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from chalice.local import LambdaContext

from tools.local.clients import Clients
from tools.local.files import mark_ready
from tools.local.lambda_events import failed_messages, scheduled_event, sqs_event
from tools.local.processes import stop_on_signals
from tools.local.provision import request_queue_name
from tools.local.service import service

Function = Callable[[dict[str, Any], LambdaContext], Any]
# Lambda waits for 20 s. A shorter wait asks more often, but ends soon after a SIGTERM.
_WAIT_SECONDS = 1
_PAUSE_SECONDS = 0.5
# Said to the function, and no limit here.
_MEMORY_MB = 256

log = logging.getLogger("tools.local.worker")


class Worker:
    """Feeds one function from one queue: an event source mapping."""

    def __init__(
        self,
        *,
        sqs: Any,
        queue_name: str,
        function: Function,
        name: str,
        batch_size: int,
        timeout_seconds: float,
    ) -> None:
        self._sqs = sqs
        self._function, self._name = function, name
        self._batch_size, self._timeout_seconds = batch_size, timeout_seconds
        self._queue_url, self._queue_arn = find_queue(sqs, queue_name)
        self._stopping = False

    def stop(self) -> None:
        """Take no further event; the current one is finished."""
        self._stopping = True

    def run(self) -> None:
        """Work until told to stop. A queue that can't be reached is asked again and again."""
        while not self._stopping:
            try:
                self.work(wait_seconds=_WAIT_SECONDS)
            except (BotoCoreError, ClientError) as problem:
                log.warning("the queue %s: %s", self._queue_url, problem)
                time.sleep(_PAUSE_SECONDS)

    def work(self, *, wait_seconds: int = 0) -> int:
        """Handle at most one event and return how many messages were in it."""
        messages = self._receive(wait_seconds)
        if messages:
            failed = self._failed(messages)
            self._delete([m for m in messages if m["MessageId"] not in failed])
        return len(messages)

    def _receive(self, wait_seconds: int) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=self._batch_size,
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def _failed(self, messages: Sequence[dict[str, Any]]) -> set[str]:
        ids = [message["MessageId"] for message in messages]
        region = self._sqs.meta.region_name
        event = sqs_event(messages, queue_arn=self._queue_arn, region=region)
        try:
            answer = call(
                self._function, event, name=self._name, timeout_seconds=self._timeout_seconds
            )
        except Exception:
            # Whatever a function raises is its failure and not ours: the whole batch comes back.
            log.exception("%s failed", self._name)
            return set(ids)
        return failed_messages(answer, ids)

    def _delete(self, messages: Sequence[dict[str, Any]]) -> None:
        if not messages:
            return
        entries = [
            {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
            for index, message in enumerate(messages)
        ]
        answer = self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)
        for failure in answer.get("Failed", []):
            log.warning("not deleted, so it will come back: %s", failure)


def call(function: Function, event: dict[str, Any], *, name: str, timeout_seconds: float) -> Any:
    """Call a function within its timeout.

    It plans with the timeout that it is deployed with, also where a shorter one ends it, so that
    messages come back sooner.
    """
    deployed = service().functions.get(name)
    told = max(timeout_seconds, deployed.timeout_seconds if deployed else 0)
    context = LambdaContext(name, _MEMORY_MB, max_runtime_ms=round(told * 1000))
    # The alarm's default action ends the process, even one stuck inside of a C library. The
    # supervisor starts another, and the message comes back as after a timeout in Lambda.
    signal.setitimer(signal.ITIMER_REAL, timeout_seconds)
    try:
        return function(event, context)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def call_every(
    seconds: float, function: Function, *, name: str, region: str, ended: threading.Event
) -> None:
    """Call a function on a schedule; a failure is logged, and the next turn comes all the same."""
    timeout = service().functions[name].timeout_seconds
    while not ended.wait(seconds):
        event = scheduled_event(rule=name, region=region)
        try:
            call(function, event, name=name, timeout_seconds=timeout)
        except Exception:
            # Whatever it raises is the function's failure; the schedule goes on.
            log.exception("%s failed", name)


def find_queue(sqs: Any, name: str) -> tuple[str, str]:
    """Look up a queue's URL and ARN, waiting until it is there."""
    while True:
        try:
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        except (BotoCoreError, ClientError) as problem:
            log.warning("waiting for the queue: %s", problem)
            time.sleep(_PAUSE_SECONDS)
        else:
            return url, found["Attributes"]["QueueArn"]


def load_function(name: str) -> Function:
    """Import the application, as a cold start does, and find the function in it."""
    function: Function = getattr(importlib.import_module("app"), name)
    return function


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.local.worker")
    parser.add_argument("function")
    parser.add_argument("--timeout", type=float, default=5.0, help="seconds a call may take")
    parser.add_argument("--every", type=float, help="call it on a schedule, after so many seconds")
    parser.add_argument("--ready-file", type=Path)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the process until SIGTERM."""
    options = _options(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    name, region = options.function, os.environ["AWS_REGION"]
    function = load_function(name)
    if options.every:
        ended = threading.Event()
        stop_on_signals(ended.set)
        mark_ready(options.ready_file)
        call_every(options.every, function, name=name, region=region, ended=ended)
        return
    worker = Worker(
        sqs=Clients(endpoint_url=os.environ["AWS_ENDPOINT_URL"], region=region).sqs,
        queue_name=request_queue_name(os.environ["BILLING_PREFIX"], name),
        function=function,
        name=name,
        batch_size=service().functions[name].batch_size,
        timeout_seconds=options.timeout,
    )
    stop_on_signals(worker.stop)
    mark_ready(options.ready_file)
    worker.run()


if __name__ == "__main__":
    main()
