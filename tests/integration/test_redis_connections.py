"""Connections to Redis that broke, or that lead to another server than they did: on a real one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from redis import Redis

from billing_app.adapters.redis_cache import RedisCache
from billing_app.ports.cache import CachedResult

ONE = CachedResult(1, "one")


@pytest.fixture
def server(redis_secret: Mapping[str, Any]) -> Redis:
    return Redis(
        host=redis_secret["host"], port=redis_secret["port"], password=redis_secret["password"]
    )


def test_a_primary_that_became_a_replica_is_left_behind(
    redis_secret: Mapping[str, Any], server: Redis
) -> None:
    connects = 0

    def secret() -> Mapping[str, Any]:
        nonlocal connects
        connects += 1
        return redis_secret

    cache = RedisCache(secret=secret, renew_secret=lambda: None)
    cache.store(key="one", result=ONE)
    server.replicaof("127.0.0.1", "1")
    try:
        cache.store(key="one", result=ONE)
    finally:
        server.replicaof("NO", "ONE")
    cache.store(key="one", result=ONE)
    assert connects == 2


def test_an_answer_that_comes_too_late_keeps_no_place_in_the_pool(
    redis_secret: Mapping[str, Any], server: Redis
) -> None:
    cache = RedisCache(secret=lambda: redis_secret, renew_secret=lambda: None)
    cache.store(key="one", result=ONE)
    for _ in range(2):
        server.client_pause(100)
        assert cache.ask(key="one")() is None
        server.client_unpause()
    pool = cache._redis().connection_pool
    used = sum(count for count, about in pool.get_connection_count() if "used" in about.values())
    assert (cache.failures, used) == (2, 0)
