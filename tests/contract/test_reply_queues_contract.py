"""What holds for every `ReplyQueues`: the fake and SQS (by moto) alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import boto3
import pytest

from billing_app.adapters.reply_queues import (
    LIFETIME,
    VISIBILITY_TIMEOUT_SECONDS,
    SqsReplyQueues,
    reply_queue,
)
from billing_app.domain.errors import Unavailable
from billing_app.ports.reply_queues import ReplyAddress, ReplyQueues
from tests.support.fake_bills import FakeClock
from tests.support.fake_ledger import FakeLedger
from tests.support.fakes import FakeReplyQueues

SUBJECT = uuid4()


@dataclass
class Setup:
    """Queues, how another process reads and deletes them, and the clock that they see."""

    queues: ReplyQueues
    read: Callable[[str], list[str]]
    delete: Callable[[str], None]
    clock: FakeClock
    registry: FakeLedger


@pytest.fixture(params=["fake", "sqs"])
def setup(request: pytest.FixtureRequest) -> Setup:
    registry = FakeLedger()
    registry.clock = clock = FakeClock(datetime.now(UTC))
    if request.param == "fake":
        fake = FakeReplyQueues(clock)
        return Setup(fake, lambda name: list(fake.messages[name]), fake.delete, clock, registry)
    request.getfixturevalue("aws")
    client = boto3.client("sqs")

    def read(name: str) -> list[str]:
        answer = client.receive_message(
            QueueUrl=url_of(name), MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [message["Body"] for message in answer.get("Messages", [])]

    def delete(name: str) -> None:
        client.delete_queue(QueueUrl=url_of(name))

    queues = SqsReplyQueues(client, registry=registry, prefix="bill-test", clock=clock)
    return Setup(queues, read, delete, clock, registry)


def url_of(name: str) -> str:
    return boto3.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]


on_sqs = pytest.mark.parametrize("setup", ["sqs"], indirect=True)


def an_address(subject: UUID = SUBJECT) -> ReplyAddress:
    return ReplyAddress(uuid4(), subject, timedelta(minutes=15))


def name_of(address: ReplyAddress) -> str:
    return reply_queue(prefix="bill-test", subject=address.subject, queue_name=address.queue_name)


def test_messages_wait_on_a_queue_that_is_made_for_them(setup: Setup) -> None:
    address = an_address()
    setup.queues.send(address, ['{"part":1}', '{"part":2}'])
    assert sorted(setup.read(name_of(address))) == ['{"part":1}', '{"part":2}']


@pytest.mark.parametrize("by", ["this process", "another"])
def test_a_queue_that_was_deleted_is_made_again(setup: Setup, by: str) -> None:
    address = an_address()
    setup.queues.send(address, ["{}"])
    (setup.queues.delete if by == "this process" else setup.delete)(name_of(address))
    setup.queues.send(address, ['{"again":1}'])
    assert setup.read(name_of(address)) == ['{"again":1}']


@on_sqs
def test_a_message_that_sqs_rejects_is_an_outage(setup: Setup) -> None:
    with pytest.raises(Unavailable, match="sqs: InvalidParameterValue"):
        setup.queues.send(an_address(), ["x" * 2**21])


def test_deleting_what_is_gone_does_nothing(setup: Setup) -> None:
    setup.queues.delete(name_of(an_address()))


def test_a_queue_is_idle_when_it_is_old_and_empty(setup: Setup) -> None:
    empty, full = an_address(), an_address()
    setup.queues.send(empty, [])
    setup.queues.send(full, ["{}"])
    assert not setup.queues.is_idle(name_of(empty), older_than=timedelta(hours=1))
    setup.clock.advance(timedelta(hours=2))
    assert setup.queues.is_idle(name_of(empty), older_than=timedelta(hours=1))
    assert not setup.queues.is_idle(name_of(full), older_than=timedelta(hours=1))
    assert setup.queues.is_idle(name_of(an_address()), older_than=timedelta(hours=1))


def test_names_lists_the_reply_queues(setup: Setup) -> None:
    addresses = [an_address(), an_address()]
    for address in addresses:
        setup.queues.send(address, [])
    assert sorted(setup.queues.names()) == sorted(name_of(address) for address in addresses)


@on_sqs
def test_a_queue_on_sqs_is_private_short_lived_and_registered_anew_every_hour(
    setup: Setup,
) -> None:
    address = an_address()
    for hours in (0, 2):
        setup.clock.advance(timedelta(hours=hours))
        setup.queues.send(address, ["{}"])
        assert setup.registry.queues[name_of(address)] == setup.clock.now + LIFETIME
    attributes = boto3.client("sqs").get_queue_attributes(
        QueueUrl=url_of(name_of(address)), AttributeNames=["All"]
    )["Attributes"]
    assert attributes["VisibilityTimeout"] == str(VISIBILITY_TIMEOUT_SECONDS)
    assert attributes["MessageRetentionPeriod"] == "900"
    assert attributes["SqsManagedSseEnabled"] == "true"
