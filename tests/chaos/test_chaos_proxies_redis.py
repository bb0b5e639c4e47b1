"""The Redis proxy passes everything on, or changes the answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError
from redis.retry import Retry

from tools.chaos.proxies import RedisProxy, resp


@pytest.fixture
def proxy(redis_secret: Mapping[str, Any]) -> Iterator[RedisProxy]:
    with RedisProxy(redis_secret["port"]) as proxy:
        yield proxy


@pytest.fixture
def client(redis_secret: Mapping[str, Any], proxy: RedisProxy) -> Iterator[Redis]:
    with Redis(
        host="127.0.0.1",
        port=proxy.port,
        password=redis_secret["password"],
        socket_timeout=5,
        retry=Retry(NoBackoff(), 0),
    ) as client:
        yield client


def test_commands_and_answers_pass_unchanged(client: Redis) -> None:
    value = bytes(range(256)) * 5000
    # Other tests leave keys of their own on this server.
    client.set("proxied", value)
    assert client.get("proxied") == value
    with client.pipeline(transaction=False) as pipeline:
        pipeline.get("proxied")
        pipeline.get("nothing")
        pipeline.strlen("proxied")
        pipeline.keys("proxied*")
        assert pipeline.execute() == [value, None, len(value), [b"proxied"]]


def test_an_answer_can_be_changed_by_its_question(client: Redis, proxy: RedisProxy) -> None:
    def lie(words: list[bytes], answer: bytes) -> bytes:
        return resp.bulk(b"not " + words[1]) if words[0] == b"GET" else answer

    client.set("a", b"true")
    proxy.change_answers(lie)
    assert client.get("a") == b"not a"
    assert client.strlen("a") == 4
    proxy.restore()
    assert client.get("a") == b"true"


def test_an_answer_can_be_of_another_kind_or_too_long(client: Redis, proxy: RedisProxy) -> None:
    proxy.change_answers(lambda _words, _answer: b"-WRONGTYPE no\r\n")
    with pytest.raises(ResponseError, match="no"):
        client.get("a")
    proxy.change_answers(lambda _words, answer: answer + resp.bulk(b"once more"))
    client.get("a")
    assert client.get("a") == b"once more"


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=5), st.integers(1, 50))
def test_a_command_is_read_from_pieces_of_any_size(words: list[bytes], size: int) -> None:
    spelled = resp.spell(words)
    lengths = {resp.length_of_first(spelled[:end]) for end in range(0, len(spelled), size)}
    assert lengths <= {0}
    assert resp.length_of_first(spelled + spelled) == len(spelled)
    assert resp.command(spelled) == words


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
