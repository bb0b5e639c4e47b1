"""Looking into queues without taking anything away, and keeping what a run leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import boto3
import pytest
from moto import mock_aws

from tools.chaos.world import evidence
from tools.chaos.world.evidence import Queues

ADA, QUEUE = UUID(int=1), UUID(int=2)


@pytest.fixture
def sqs() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client(
            "sqs",
            region_name="eu-central-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )


def send(sqs: Any, name: str, body: str, request_id: str = "r") -> None:
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    attribute = {"DataType": "String", "StringValue": request_id}
    sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes={"request_id": attribute})


def test_dead_letters_are_read_with_attributes_and_stay(sqs: Any) -> None:
    for number in range(13):
        send(sqs, "p-payments-dlq", "{}", f"r{number}")
    queues = Queues(sqs, "p")
    assert queues.dead_requests() == {f"r{number}" for number in range(13)}
    assert len(queues.dead_letters()) == 13
    assert queues.dead_letters()[0]["queue"] == "p-payments-dlq"


def test_what_waits_is_told_apart_from_what_is_dead(sqs: Any) -> None:
    send(sqs, "p-utils", "{}", "waiting")
    send(sqs, "p-utils-dlq", "{}", "dead")
    queues = Queues(sqs, "p")
    assert [one["attributes"]["request_id"] for one in queues.waiting()] == ["waiting"]
    assert queues.dead_requests() == {"dead"}


def test_reply_queues_are_told_by_owner_and_name(sqs: Any) -> None:
    send(sqs, f"p-r-{ADA.hex}-{QUEUE.hex}", json.dumps({"request_id": "r1"}))
    send(sqs, f"p-login-{QUEUE.hex}", json.dumps({"request_id": "r2"}))
    sqs.create_queue(QueueName=f"p-r-{ADA.hex}-{ADA.hex}")
    assert Queues(sqs, "p").replies() == [
        {"owner": str(ADA), "queue_name": str(QUEUE), "replies": [{"request_id": "r1"}]},
        {"owner": None, "queue_name": str(QUEUE), "replies": [{"request_id": "r2"}]},
    ]


def test_instants_are_written_as_the_contract_does() -> None:
    there = timezone(timedelta(hours=2))
    assert evidence._plain(datetime(2026, 1, 2, 3, 4, 5, 6, there)) == "2026-01-02T01:04:05.000006Z"
    assert evidence._plain(datetime(2026, 1, 2, tzinfo=UTC)) == "2026-01-02T00:00:00.000000Z"


def test_logs_are_copied_from_folders_and_files(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "utils-1.log").write_text("one")
    (tmp_path / "logs" / "utils-1.log.1").write_text("two")
    (tmp_path / "logs" / "state.json").write_text("not a log")
    (tmp_path / "out").write_text("three")
    (tmp_path / "run").mkdir()
    names = evidence._copies([tmp_path / "logs", tmp_path / "out"], tmp_path / "run")
    texts = [(tmp_path / "run" / name).read_text() for name in names]
    assert texts == ["one", "two", "three"]
