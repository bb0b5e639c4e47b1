"""What holds for every `ResultCache`: the fake and a real Redis-protocol server alike."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import pytest
from botocore.session import Session, get_session
from redis import Redis

from billing_app.adapters.cache_login import IamLogin
from billing_app.adapters.redis_cache import SCHEMA, Breaker, RedisCache
from billing_app.ports.cache import CachedResult, ResultCache
from tests.support.api import wait_until
from tests.support.fakes import FakeCache
from tests.support.sockets import Listener, listening


def connected(secret: Mapping[str, Any]) -> Redis:
    return Redis(host=secret["host"], port=secret["port"], password=secret["password"])


def redis_cache(secret: Mapping[str, Any], breaker: Breaker | None = None) -> RedisCache:
    return RedisCache(secret=lambda: secret, renew_secret=lambda: None, breaker=breaker)


@pytest.fixture(params=["fake", "redis"])
def cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ResultCache:
    if request.param == "fake":
        return FakeCache()
    # What a busy machine answers late would be a miss, and this is about what is answered.
    monkeypatch.setattr("billing_app.adapters.redis_cache.TIMEOUT_SECONDS", 10.0)
    return redis_cache(request.getfixturevalue("redis_secret"))


def test_what_was_stored_is_answered(cache: ResultCache) -> None:
    key, result = str(uuid4()), CachedResult(17, {"name": "Ольга 🏠", "list": [1, None]})
    assert cache.ask(key=key)() is None
    cache.store(key=key, result=result)
    assert cache.ask(key=key)() == result


def test_a_later_store_replaces_an_earlier_one(cache: ResultCache) -> None:
    key = str(uuid4())
    for version in (2, 1):
        cache.store(key=key, result=CachedResult(version, []))
    assert cache.ask(key=key)() == CachedResult(1, [])


def test_two_questions_at_once_get_their_own_answers(cache: ResultCache) -> None:
    keys = [str(uuid4()) for _ in range(3)]
    for number, key in enumerate(keys):
        cache.store(key=key, result=CachedResult(number, key))
    pending = [cache.ask(key=key) for key in keys]
    assert [answer() for answer in pending] == [CachedResult(n, k) for n, k in enumerate(keys)]


@pytest.mark.parametrize(
    "lie",
    [
        b"",
        b"garbage",
        b"[]",
        b'[99,"KEY",1,{}]',
        b'[SCHEMA,"another key",1,{}]',
        b'[SCHEMA,"KEY","1",{}]',
        b'[SCHEMA,"KEY",true,{}]',
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_an_entry_whose_header_is_not_right_in_all_is_a_miss(
    redis_secret: Mapping[str, Any], lie: bytes
) -> None:
    key = str(uuid4())
    with connected(redis_secret) as server:
        server.set(key, lie.replace(b"KEY", key.encode()).replace(b"SCHEMA", b"%d" % SCHEMA))
    assert redis_cache(redis_secret).ask(key=key)() is None


def test_entries_expire(redis_secret: Mapping[str, Any]) -> None:
    key = str(uuid4())
    redis_cache(redis_secret).store(key=key, result=CachedResult(1, []))
    with connected(redis_secret) as server:
        assert 0 < server.ttl(key) <= 1.1 * 3600


def secret_of(server: Listener) -> Mapping[str, Any]:
    return {"host": "127.0.0.1", "port": server.port}


def accepted(server: Listener) -> int:
    """Count the connections that were made before this call; they are taken in their order."""
    with socket.create_connection(("127.0.0.1", server.port)) as marker:
        wait_until(lambda: marker.getsockname() in server.accepted, "the last connection")
        return server.accepted.index(marker.getsockname())


def test_a_redis_that_hangs_is_given_up_on_and_then_left_alone() -> None:
    moments = [0.0]
    breaker = Breaker(now=lambda: moments[0])
    with listening() as server:
        cache = redis_cache(secret_of(server), breaker)
        for _ in range(10):
            assert cache.ask(key="k")() is None
            cache.store(key="k", result=CachedResult(1, []))
        assert cache.failures == 3
        moments[0] = 6.0
        assert cache.ask(key="k")() is None
        assert cache.failures == 4
        # A second try would wait as long again.
        assert accepted(server) == 4


@pytest.mark.parametrize(
    "nonsense",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"+OK\r\n" * 5,
        b":1\r\n" * 5,
        b"*0\r\n" * 5,
        b"_\r\n" * 5,
        b"!x\r\n",
        b">3\r\n+MOVING\r\n:1\r\n:1\r\n" + b">0\r\n" * 5,
        b"*1\r\n" * 3_000,
    ],
)
def test_a_redis_that_talks_nonsense_is_a_miss(nonsense: bytes) -> None:
    with listening(nonsense) as server:
        cache = redis_cache(secret_of(server))
        for _ in range(3):
            assert cache.ask(key="k")() is None
            cache.store(key="k", result=CachedResult(1, []))


def test_a_redis_that_rejects_is_a_miss() -> None:
    with listening() as closed:
        pass
    cache = redis_cache(secret_of(closed))
    assert cache.ask(key="k")() is None
    cache.store(key="k", result=CachedResult(1, []))
    assert cache.failures == 2


def test_a_redis_with_another_password_is_a_miss_and_the_secret_is_fetched_again(
    redis_secret: Mapping[str, Any],
) -> None:
    secrets = [{**redis_secret, "password": "old"}]
    moments = [0.0]
    cache = RedisCache(
        secret=lambda: secrets[-1],
        renew_secret=lambda: secrets.append(dict(redis_secret)),
        breaker=Breaker(now=lambda: moments[0]),
    )
    key = str(uuid4())
    for _ in range(3):
        assert cache.ask(key=key)() is None
    moments[0] = 6.0
    cache.store(key=key, result=CachedResult(1, "new"))
    assert cache.ask(key=key)() == CachedResult(1, "new")


@pytest.fixture
def aws_session(monkeypatch: pytest.MonkeyPatch) -> Session:
    """Give a session of a function with credentials."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    return get_session()


def test_a_login_by_iam_signs_a_token_for_each_connection(
    redis_secret: Mapping[str, Any], aws_session: Session
) -> None:
    """The server takes any token here: only ElastiCache can check one."""
    user, key = f"user-{uuid4().hex}", str(uuid4())
    by_iam = {
        **redis_secret,
        "username": user,
        "password": None,
        "authentication": "iam",
        "replication_group_id": "bill-test",
    }
    with connected(redis_secret) as server:
        server.execute_command(
            "ACL", "SETUSER", user, "on", "nopass", "~*", "-@all", "+get", "+set", "+client|setinfo"
        )
    cache = redis_cache(by_iam)
    cache.store(key=key, result=CachedResult(3, ["by iam"]))
    assert cache.ask(key=key)() == CachedResult(3, ["by iam"])
    assert cache.failures == 0


def test_the_token_is_the_signed_address_of_the_replication_group(aws_session: Session) -> None:
    login = IamLogin(
        username="bill-functions", replication_group_id="bill-test", session=aws_session
    )
    username, token = login.get_credentials()
    address, _, query = token.partition("?")
    signed = dict(parse_qsl(query))
    assert (username, address) == ("bill-functions", "bill-test/")
    assert (signed["Action"], signed["User"]) == ("connect", "bill-functions")
    assert signed["X-Amz-Expires"] == "900"
    assert "eu-central-1/elasticache/aws4_request" in signed["X-Amz-Credential"]
    assert len(signed["X-Amz-Signature"]) == 64
    assert "example-secret" not in token
