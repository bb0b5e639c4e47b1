"""What would caching the list of debts gain? Run: python -m tools.benchmarks.debts_cache

Compares, for apartments with few and many open bills, one query that checks access and computes the
list, with the protocol of a cached result (GET to Redis, query for access and version, read the
answer). Both end with the same Python objects. Prints medians and their ratio in one run, since
the times of a machine mean nothing elsewhere.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from billing_app.adapters.connections import Database
from billing_app.adapters.ledger import PostgresLedger
from billing_app.adapters.redis_cache import RedisCache
from billing_app.ports.cache import CachedResult
from tests.support.cache_fixtures import cache_secret
from tests.support.databases import Server
from tests.support.ledger import Ledger, line
from tools.local.postgres import EmbeddedPostgres
from tools.local.redis import EmbeddedRedis

ROUNDS = 300
BILLS = (3, 20, 100, 500)


def median_ms(work: Callable[[], object]) -> float:
    """Return the median of `ROUNDS` runs, after some that don't count."""
    times = []
    for number in range(ROUNDS + 20):
        started = time.perf_counter()
        work()
        if number >= 20:
            times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def measure(server: Server, cache: RedisCache, bills: int) -> tuple[float, float]:
    """Return the medians in ms: computed each time, and cached."""
    with server.database() as database:
        scene = Ledger(database)
        home = scene.home()
        scene.issue([line(home, line=number + 1) for number in range(bills)])
        connection = Database(
            secret=lambda: database.secret("reader"),
            renew_secret=lambda: None,
            application_name="benchmark",
        )
        ledger = PostgresLedger(connection)
        who = {"subject": home.subject, "apartment_id": home.apartment}
        stored = connection.value(
            "SELECT api.open_debts(%(s)s, %(a)s)", {"s": home.subject, "a": home.apartment}
        )
        key = f"debts:{home.apartment}"
        cache.store(key=key, result=CachedResult(stored["version"], stored["debts"]))

        def cached() -> None:
            pending = cache.ask(key=key)
            access = ledger.access(**who)
            result = pending()
            if result is None or access is None or result.version != access.version:
                raise AssertionError("a miss would spoil the comparison")

        computed_ms, cached_ms = median_ms(lambda: ledger.open_debts(**who)), median_ms(cached)
        connection.close()
        return computed_ms, cached_ms


def main() -> None:
    """Print a row for each number of bills."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres", durable=False)
        redis = EmbeddedRedis(Path(folder) / "redis")
        postgres.start()
        try:
            secret = cache_secret(redis.start())
            cache = RedisCache(secret=lambda: secret, renew_secret=lambda: None)
            server = Server(admin_url=postgres.superuser_url, owner_url=postgres.url)
            with server.template():
                for bills in BILLS:
                    computed, cached = measure(server, cache, bills)
                    sys.stdout.write(
                        f"{bills:4} bills: computed {computed:.2f} ms, cached {cached:.2f} ms,"
                        f" cached/computed {cached / computed:.2f}\n"
                    )
        finally:
            redis.stop()
            postgres.destroy()


if __name__ == "__main__":
    main()
