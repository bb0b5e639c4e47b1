"""What holds for every `ReplyQueues`: the fake and SQS (by moto) alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import boto3
import pytest
from moto import mock_aws

from billing_app.adapters.reply_queues import LIFETIME, SqsReplyQueues
from billing_app.domain.errors import Unavailable
from billing_app.domain.identifiers import reply_queue
from billing_app.ports.reply_queues import ReplyAddress, ReplyQueues
from tests.support.fakes import FakeClock, FakeLedger, FakeReplyQueues

SUBJECT = uuid4()


@dataclass
class World:
    """Queues, how to read them, and the clock that they see."""

    queues: ReplyQueues
    read: Callable[[str], list[str]]
    clock: FakeClock
    registry: FakeLedger


@pytest.fixture(params=["fake", "sqs"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    registry = FakeLedger()
    registry.clock = FakeClock(datetime.now(UTC))
    if request.param == "fake":
        fake = FakeReplyQueues(registry.clock)
        yield World(fake, lambda name: list(fake.messages[name]), registry.clock, registry)
        return
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("sqs", region_name="eu-central-1")
        queues = SqsReplyQueues(client, registry=registry, prefix="bill-test", clock=registry.clock)

        def read(name: str) -> list[str]:
            url = client.get_queue_url(QueueName=name)["QueueUrl"]
            answer = client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0
            )
            return [message["Body"] for message in answer.get("Messages", [])]

        yield World(queues, read, registry.clock, registry)


def an_address(subject: UUID = SUBJECT) -> ReplyAddress:
    name = reply_queue(prefix="bill-test", subject=subject, queue_name=uuid4())
    return ReplyAddress(name, subject, timedelta(minutes=15))


def test_messages_wait_on_a_queue_that_is_made_for_them(world: World) -> None:
    address = an_address()
    world.queues.send(address, ['{"part":1}', '{"part":2}'])
    assert sorted(world.read(address.name)) == ['{"part":1}', '{"part":2}']


def test_a_queue_that_was_deleted_is_made_again(world: World) -> None:
    address = an_address()
    world.queues.send(address, ["{}"])
    world.queues.delete(address.name)
    world.queues.send(address, ['{"again":1}'])
    assert world.read(address.name) == ['{"again":1}']


@pytest.mark.parametrize("world", ["sqs"], indirect=True)
def test_a_queue_that_the_sweeper_of_another_process_deleted_is_made_again(world: World) -> None:
    address = an_address()
    world.queues.send(address, ["{}"])
    client = boto3.client("sqs", region_name="eu-central-1")
    client.delete_queue(QueueUrl=client.get_queue_url(QueueName=address.name)["QueueUrl"])
    world.queues.send(address, ['{"again":1}'])
    assert world.read(address.name) == ['{"again":1}']


@pytest.mark.parametrize("world", ["sqs"], indirect=True)
def test_a_message_that_sqs_rejects_is_an_outage(world: World) -> None:
    with pytest.raises(Unavailable, match="sqs: InvalidParameterValue"):
        world.queues.send(an_address(), ["x" * 2**21])


def test_deleting_what_is_gone_does_nothing(world: World) -> None:
    world.queues.delete(an_address().name)


def test_a_queue_is_idle_when_it_is_old_and_empty(world: World) -> None:
    empty, full = an_address(), an_address()
    world.queues.send(empty, [])
    world.queues.send(full, ["{}"])
    assert not world.queues.is_idle(empty.name, older_than=timedelta(hours=1))
    world.clock.advance(timedelta(hours=2))
    assert world.queues.is_idle(empty.name, older_than=timedelta(hours=1))
    assert not world.queues.is_idle(full.name, older_than=timedelta(hours=1))
    assert world.queues.is_idle(an_address().name, older_than=timedelta(hours=1))


def test_names_lists_the_reply_queues(world: World) -> None:
    addresses = [an_address(), an_address()]
    for address in addresses:
        world.queues.send(address, [])
    assert sorted(world.queues.names()) == sorted(address.name for address in addresses)


@pytest.mark.parametrize("world", ["sqs"], indirect=True)
def test_a_queue_on_sqs_is_registered_private_and_short_lived(world: World) -> None:
    address = an_address()
    world.queues.send(address, ["{}"])
    assert world.registry.queues[address.name] == world.clock.now + LIFETIME
    client = boto3.client("sqs", region_name="eu-central-1")
    url = client.get_queue_url(QueueName=address.name)["QueueUrl"]
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "30"
    assert attributes["MessageRetentionPeriod"] == "900"
    assert attributes["SqsManagedSseEnabled"] == "true"


@pytest.mark.parametrize("world", ["sqs"], indirect=True)
def test_a_queue_in_use_is_registered_anew_every_hour(world: World) -> None:
    address = an_address()
    world.queues.send(address, ["{}"])
    world.clock.advance(timedelta(hours=2))
    world.queues.send(address, ["{}"])
    assert world.registry.queues[address.name] == world.clock.now + LIFETIME
