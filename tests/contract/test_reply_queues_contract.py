"""What holds for every `ReplyQueues` and `IdleQueues`: the fakes and SQS (by moto) alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from billing_app.adapters.idle_queues import SqsIdleQueues
from billing_app.adapters.reply_queues import (
    LIFETIME,
    LOGIN_LIFETIME,
    VISIBILITY_TIMEOUT_SECONDS,
    SqsReplyQueues,
    reply_queue,
)
from billing_app.adapters.request_queue import SqsRequestQueue
from billing_app.domain.errors import Unavailable
from billing_app.ports.reply_queues import (
    FoundQueue,
    IdleQueues,
    ReplyAddress,
    ReplyQueueHeld,
    ReplyQueues,
)
from chalicelib.operations import OPERATIONS
from tests.support.fake_bills import FakeClock
from tests.support.fake_ledger import FakeLedger
from tests.support.fakes import FakeReplyQueues

SUBJECT = uuid4()
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*"},
    }
)


@dataclass
class Setup:
    """Queues as functions and the sweeper see them, how another process reads, and the clock."""

    queues: ReplyQueues
    idle: IdleQueues
    read: Callable[[str], list[str]]
    clock: FakeClock
    registry: FakeLedger
    client: Any = None

    def fails(self, operation: str, code: str, times: int = 1) -> None:
        """Have SQS answer with an error, as often as said."""
        left = iter(range(times))

        def fail(**_: object) -> None:
            if next(left, None) is not None:
                raise ClientError({"Error": {"Code": code, "Message": ""}}, operation)

        self.client.meta.events.register(f"before-call.sqs.{operation}", fail)

    def attributes(self, name: str) -> dict[str, str]:
        found: dict[str, str] = self.client.get_queue_attributes(
            QueueUrl=url_of(name), AttributeNames=["All"]
        )["Attributes"]
        return found


@pytest.fixture(params=["fake", "sqs"])
def setup(request: pytest.FixtureRequest) -> Setup:
    registry = FakeLedger()
    registry.clock = clock = FakeClock(datetime.now(UTC))
    if request.param == "fake":
        fake = FakeReplyQueues()
        return Setup(fake, fake, lambda name: list(fake.messages[name]), clock, registry)
    request.getfixturevalue("aws")
    client = boto3.client("sqs")

    def read(name: str) -> list[str]:
        answer = client.receive_message(
            QueueUrl=url_of(name), MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [message["Body"] for message in answer.get("Messages", [])]

    queues = SqsReplyQueues(
        client, registry=registry, prefix="bill-test", policy=POLICY, clock=clock
    )
    idle = SqsIdleQueues(client, prefix="bill-test", page=2)
    return Setup(queues, idle, read, clock, registry, client)


def url_of(name: str) -> str:
    return boto3.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]


on_sqs = pytest.mark.parametrize("setup", ["sqs"], indirect=True)


def an_address(subject: UUID | None = SUBJECT) -> ReplyAddress:
    return ReplyAddress(uuid4(), subject, timedelta(minutes=15))


def name_of(address: ReplyAddress) -> str:
    return reply_queue(prefix="bill-test", subject=address.subject, queue_name=address.queue_name)


def found(setup: Setup, address: ReplyAddress) -> FoundQueue:
    queue = setup.idle.find(name_of(address))
    assert queue is not None
    return queue


def test_messages_wait_on_a_queue_that_is_made_for_them(setup: Setup) -> None:
    address = an_address()
    setup.queues.send(address, ['{"part":1}', '{"part":2}'])
    assert sorted(setup.read(name_of(address))) == ['{"part":1}', '{"part":2}']


def test_a_queue_that_was_deleted_is_made_again(setup: Setup) -> None:
    address = an_address()
    setup.queues.send(address, ["{}"])
    setup.idle.delete(found(setup, address))
    setup.queues.send(address, ['{"again":1}'])
    assert setup.read(name_of(address)) == ['{"again":1}']


@on_sqs
@pytest.mark.parametrize(
    "attributes",
    [
        {"VisibilityTimeout": "30"},
        {"MessageRetentionPeriod": "300"},
        {"SqsManagedSseEnabled": "false", "KmsMasterKeyId": "alias/aws/sqs"},
        {"Policy": POLICY.replace("Deny", "Allow")},
    ],
    ids=["visibility", "retention", "key", "policy"],
)
def test_a_queue_that_exists_with_other_attributes_is_used_and_adjusted(
    setup: Setup, attributes: dict[str, str]
) -> None:
    address = an_address()
    setup.client.create_queue(QueueName=name_of(address), Attributes=attributes)
    setup.queues.send(address, ["{}"])
    assert setup.read(name_of(address)) == ["{}"]
    adjusted = setup.attributes(name_of(address))
    assert adjusted["VisibilityTimeout"] == str(VISIBILITY_TIMEOUT_SECONDS)
    assert adjusted["MessageRetentionPeriod"] == "900"
    assert adjusted["SqsManagedSseEnabled"] == "true"
    assert not adjusted.get("KmsMasterKeyId")
    assert json.loads(adjusted["Policy"]) == json.loads(POLICY)


@on_sqs
@pytest.mark.parametrize(
    "code", ["AWS.SimpleQueueService.QueueDeletedRecently", "QueueDeletedRecently"]
)
def test_a_name_that_is_not_free_yet_is_waited_for(setup: Setup, code: str) -> None:
    address = an_address()
    setup.fails("CreateQueue", code)
    with pytest.raises(ReplyQueueHeld) as held:
        setup.queues.send(address, ["{}"])
    assert timedelta(seconds=60) < held.value.wait < timedelta(minutes=2)
    setup.queues.send(address, ["{}"])
    assert setup.read(name_of(address)) == ["{}"]


@on_sqs
def test_a_queue_that_the_sweeper_has_claimed_is_not_touched(setup: Setup) -> None:
    address, hold = an_address(), timedelta(seconds=75)
    setup.queues.send(address, ["{}"])
    setup.clock.advance(LIFETIME)
    assert setup.registry.claim_reply_queue(name=name_of(address), hold=hold)
    setup.fails("CreateQueue", "not asked for", times=9)
    with pytest.raises(ReplyQueueHeld) as held:
        setup.queues.send(address, ['{"lost":1}'])
    assert held.value.wait == hold
    assert setup.read(name_of(address)) == ["{}"]


@on_sqs
def test_a_message_that_sqs_rejects_is_an_outage(setup: Setup) -> None:
    with pytest.raises(Unavailable, match="sqs: InvalidParameterValue"):
        setup.queues.send(an_address(), ["x" * 2**21])


def test_a_queue_that_is_gone_is_not_found_and_deleted_in_peace(setup: Setup) -> None:
    assert setup.idle.find(name_of(an_address())) is None
    address = an_address()
    setup.queues.send(address, [])
    queue = found(setup, address)
    for _ in range(2):
        setup.idle.delete(queue)


def test_a_queue_is_empty_until_it_holds_a_message(setup: Setup) -> None:
    empty, full = an_address(), an_address()
    setup.queues.send(empty, [])
    setup.queues.send(full, ["{}"])
    assert found(setup, empty).is_empty
    assert not found(setup, full).is_empty


def test_names_lists_all_reply_queues_in_pages(setup: Setup) -> None:
    addresses = [an_address(), an_address(), an_address(), an_address(None)]
    for address in addresses:
        setup.queues.send(address, [])

    def listed() -> Iterator[str]:
        for digit in "0123456789abcdef":
            pages = list(setup.idle.names(digit=digit))
            assert max(map(len, pages), default=0) <= 2
            yield from (name for page in pages for name in page)

    assert sorted(listed()) == sorted(name_of(address) for address in addresses)


@on_sqs
@pytest.mark.parametrize(
    ("subject", "operation", "lifetime"),
    [(SUBJECT, "utils", LIFETIME), (None, "auth", LOGIN_LIFETIME)],
    ids=["resident", "login"],
)
def test_a_queue_on_sqs_is_private_and_registered_for_longer_than_it_holds_a_reply(
    setup: Setup, subject: UUID | None, operation: str, lifetime: timedelta
) -> None:
    address = ReplyAddress(uuid4(), subject, OPERATIONS[operation].reply_retention)
    for _ in range(20):
        setup.queues.send(address, ["{}"])
        left = setup.registry.queues[name_of(address)] - setup.clock.now
        assert address.retention + timedelta(minutes=1) < left <= lifetime
        setup.clock.advance(lifetime / 10)
    attributes = setup.attributes(name_of(address))
    assert attributes["VisibilityTimeout"] == str(VISIBILITY_TIMEOUT_SECONDS)
    assert attributes["MessageRetentionPeriod"] == str(int(address.retention.total_seconds()))
    assert attributes["SqsManagedSseEnabled"] == "true"
    assert json.loads(attributes["Policy"]) == json.loads(POLICY)


@on_sqs
def test_a_request_that_was_put_off_comes_back_when_it_was_said(setup: Setup) -> None:
    client = setup.client
    url = client.create_queue(QueueName="requests", Attributes={"VisibilityTimeout": "600"})
    queue = SqsRequestQueue(client, url=url["QueueUrl"])
    client.send_message(QueueUrl=url["QueueUrl"], MessageBody="{}")
    [message] = client.receive_message(QueueUrl=url["QueueUrl"])["Messages"]
    queue.put_off("no handle", wait=timedelta(0))
    assert "Messages" not in client.receive_message(QueueUrl=url["QueueUrl"])
    queue.put_off(message["ReceiptHandle"], wait=timedelta(milliseconds=10))
    again = client.receive_message(QueueUrl=url["QueueUrl"], WaitTimeSeconds=5)
    assert len(again["Messages"]) == 1
