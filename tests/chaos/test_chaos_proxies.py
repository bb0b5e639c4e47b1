"""The proxies see a payment's steps, pass everything else on, and SQS misbehaves as it is told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from botocore.exceptions import BotoCoreError
from hypothesis import given
from hypothesis import strategies as st
from redis.connection import Connection as RedisConnection

from tests.chaos.clients import ask, cache, database, paid, pay, sqs_client
from tools.chaos.proxies import resp, sqs
from tools.chaos.proxies.tcp import StepEvent
from tools.chaos.servers import Servers

# Postgres ----------------------------------------------------------------------------------------


# In a process of its own: the proxy's has the other end of the connection.
PAYER = """
import sys, psycopg2
connection = psycopg2.connect(sys.argv[1])
connection.autocommit = True
cursor = connection.cursor()
cursor.execute("SELECT api.pay('b')")
assert cursor.fetchall() == [("b" * 20000,)]
"""


def test_the_steps_of_a_payment_are_told_in_their_order_with_the_payer(servers: Servers) -> None:
    seen: list[tuple[str, int | None, int]] = []

    def watch(moment: StepEvent) -> None:
        count = paid(servers) if moment.step != "in_commit" else 0
        seen.append((moment.step, moment.line.pid, count))

    command = [sys.executable, "-c", PAYER, servers.variables()["DATABASE_URL"]]
    with servers.postgres_proxy.watching(watch), subprocess.Popen(command) as payer:
        assert payer.wait(20) == 0
    pid = payer.pid
    assert seen == [("before_payment", pid, 0), ("in_commit", pid, 0), ("committed", pid, 1)]


def test_only_a_payment_is_seen_and_one_that_failed_was_not_committed(servers: Servers) -> None:
    seen: list[str] = []
    with closing(database(servers)) as connection:
        with servers.postgres_proxy.watching(lambda moment: seen.append(moment.step)):
            # What is no payment passes unseen, in any size.
            long = ask(connection, "SELECT repeat('x', 3000000) || %s", "y" * 1_000_000)
            assert long == "x" * 3_000_000 + "y" * 1_000_000
            with pytest.raises(psycopg2.errors.RaiseException):
                pay(connection, "bad")
        assert seen == ["before_payment", "in_commit"]
        assert pay(connection).startswith("b")


# Redis; what else it may answer is tested with the faults -----------------------------------------


def test_commands_and_answers_pass_unchanged(servers: Servers) -> None:
    value = bytes(range(256)) * 5000
    with cache(servers) as client, client.pipeline(transaction=False) as pipeline:
        client.set("a", value)
        pipeline.get("a")
        pipeline.get("nothing")
        pipeline.strlen("a")
        pipeline.keys("*")
        assert pipeline.execute() == [value, None, len(value), [b"a"]]


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=5), st.integers(1, 50))
def test_a_command_is_read_from_pieces_of_any_size(words: list[bytes], size: int) -> None:
    # redis-py leaves this method without types.
    # redis has no types for it.
    spelled = b"".join(RedisConnection().pack_command("SET", *words))  # type: ignore[no-untyped-call]
    lengths = {resp.length_of_first(spelled[:end]) for end in range(0, len(spelled), size)}
    assert lengths <= {0}
    assert resp.length_of_first(spelled + spelled) == len(spelled)
    assert resp.command(spelled) == [b"SET", *words]


@pytest.mark.parametrize(
    "value",
    [
        b"+OK\r\n",
        b":5\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"*2\r\n$1\r\na\r\n:1\r\n",
        b"%1\r\n+a\r\n_\r\n",
    ],
)
def test_every_kind_of_value_is_measured(value: bytes) -> None:
    assert resp.length_of_first(value + b"+next\r\n") == len(value)
    assert resp.length_of_first(value[:-1]) == 0


# SQS ---------------------------------------------------------------------------------------------


@pytest.fixture
def client(servers: Servers) -> Iterator[Any]:
    with closing(sqs_client(servers)) as client:
        yield client


@pytest.fixture
def queue(client: Any) -> Iterator[str]:
    # The name of a queue that was deleted is not free for a minute.
    name = f"t{uuid4().hex}-payments"
    url = client.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60"})
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


# That steps are told, sends fail and deletes get lost is what each cell of tests/matrix counts on.
def test_one_send_is_doubled_though_its_answer_is_cut_off_and_the_next_is_not(
    servers: Servers, client: Any, queue: str
) -> None:
    with (
        servers.aws_proxy.applying(sqs.duplicate(sqs.times(1))),
        servers.aws_proxy.applying(sqs.cut_off_send(sqs.times(1))),
    ):
        with pytest.raises(BotoCoreError):
            send(client, queue)
        send(client, queue, "next")
    bodies = sorted(message["Body"] for message in receive(client, queue))
    assert bodies == ["b & c", "next"]


def test_a_late_message_is_overtaken(servers: Servers, client: Any, queue: str) -> None:
    with servers.aws_proxy.applying(sqs.late(sqs.times(1))):
        send(client, queue, "first")
        send(client, queue, "second")
    assert [message["Body"] for message in receive(client, queue)] == ["second"]
    assert [message["Body"] for message in receive(client, queue, wait=10)] == ["first"]


def test_a_receiver_that_went_away_takes_no_message(
    servers: Servers, client: Any, queue: str
) -> None:
    with closing(sqs_client(servers, read_timeout=1)) as hasty, pytest.raises(BotoCoreError):
        receive(hasty, queue, wait=20)
    send(client, queue)
    assert len(receive(client, queue, wait=5)) == 1
