"""Connections to Redis that broke, lead to another server than they did, or are left over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis import Redis

from billing_app.adapters.cached_ledger import CachedLedger
from billing_app.adapters.redis_cache import RedisCache
from billing_app.domain.errors import Unavailable
from billing_app.ports.cache import CachedResult
from billing_app.ports.ledger import Access
from tests.support.fake_ledger import FakeLedger

ONE = CachedResult(1, "one")
# More than a pool of redis-py holds by default.
READS = 150


@pytest.fixture
def server(redis_secret: Mapping[str, Any]) -> Iterator[Redis]:
    place = {name: redis_secret[name] for name in ("host", "port", "password")}
    with Redis(**place) as server:
        yield server


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


class AbsentLedger(FakeLedger):
    """A ledger that does not answer."""

    def access(self, *, subject: UUID, apartment_id: UUID) -> Access | None:
        raise Unavailable("database: away")


@pytest.mark.parametrize("ledger", [FakeLedger(), AbsentLedger()])
def test_reads_that_end_before_the_caches_answer_is_wanted_use_up_no_connections(
    ledger: FakeLedger, redis_secret: Mapping[str, Any], server: Redis
) -> None:
    """Those of other people's apartments, and those for which the database does not answer."""
    cache = RedisCache(secret=lambda: redis_secret, renew_secret=lambda: None)
    before = len(server.client_list())
    for _ in range(READS):
        with suppress(Unavailable):
            CachedLedger(ledger, cache).open_debts(subject=uuid4(), apartment_id=uuid4())
    assert cache.failures == 0
    assert len(server.client_list()) <= before + 1
