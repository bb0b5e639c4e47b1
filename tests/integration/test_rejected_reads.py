"""Reads that end before the cache's answer is wanted leave no connection behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis import Redis

from billing_app.adapters.cached_ledger import CachedLedger
from billing_app.adapters.redis_cache import RedisCache
from billing_app.domain.errors import Rejection, Unavailable
from billing_app.ports.ledger import Access
from billing_app.use_cases.debts import show_debts
from tests.support.fake_bills import FakeClock
from tests.support.fake_ledger import FakeLedger

# More than a pool of redis-py holds by default.
READS = 150


class AbsentLedger(FakeLedger):
    """A ledger that does not answer."""

    def access(self, *, subject: UUID, apartment_id: UUID) -> Access | None:
        raise Unavailable("database: away")


@pytest.fixture
def server(redis_secret: Mapping[str, Any]) -> Iterator[Redis]:
    """Give a connection that counts the others."""
    place = {name: redis_secret[name] for name in ("host", "port", "password")}
    with Redis(**place) as server:
        yield server


@pytest.mark.parametrize("ledger", [FakeLedger(), AbsentLedger()])
def test_reads_of_other_peoples_apartments_use_up_no_connections(
    ledger: FakeLedger, redis_secret: Mapping[str, Any], server: Redis
) -> None:
    cache = RedisCache(secret=lambda: redis_secret, renew_secret=lambda: None)
    before = len(server.client_list())
    for _ in range(READS):
        with suppress(Rejection, Unavailable):
            show_debts(
                reader=CachedLedger(ledger, cache),
                clock=FakeClock(),
                subject=uuid4(),
                apartment_id=uuid4(),
            )
    assert cache.failures == 0
    assert len(server.client_list()) <= before + 1
