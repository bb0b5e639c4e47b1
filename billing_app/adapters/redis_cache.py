"""Computed results in Redis, where a failure costs milliseconds and never an answer.

redis-py by default waits without end and retries: with Redis hung, every answer would hang too.
Here nothing waits longer than `TIMEOUT_SECONDS`, and after a few failures in a row the breaker
leaves Redis alone for a while.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from random import Random
from time import monotonic
from typing import Any

import botocore.session
from botocore.exceptions import BotoCoreError
from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import Connection, ConnectionPool
from redis.exceptions import ReadOnlyError, RedisError
from redis.retry import Retry

from billing_app.adapters.cache_login import IamLogin
from billing_app.domain.errors import Unavailable
from billing_app.ports.cache import CachedResult, PendingResult

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.05
TIME_TO_LIVE_SECONDS = 3_600
# Spread of the expiry, so that results stored together do not expire together.
_JITTER = 0.1
# Raised whenever the meaning of a stored body changes: old entries then read as misses.
SCHEMA = 3
_LARGEST_BODY_BYTES = 4_000_000
_FAILURES_TO_OPEN = 3
_OPEN_SECONDS = 5.0

# The first four are ours and our libraries'; over answers that make no sense redis-py's parser and
# json stumble with the others.
_TROUBLE = (
    *(RedisError, BotoCoreError, OSError, Unavailable),
    *(ValueError, TypeError, LookupError, AttributeError, RecursionError),
)


class Breaker:
    """Stops asking after `_FAILURES_TO_OPEN` failures in a row, for `_OPEN_SECONDS`."""

    def __init__(self, *, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._failures = 0
        self._closed_again_at = 0.0

    @property
    def is_open(self) -> bool:
        """Tell whether to ask nothing for now."""
        return self._now() < self._closed_again_at

    def succeed(self) -> None:
        """Count a success."""
        self._failures = 0

    def fail(self) -> bool:
        """Count a failure; tell whether it opened the breaker."""
        self._failures += 1
        if self._failures < _FAILURES_TO_OPEN:
            return False
        self._closed_again_at = self._now() + _OPEN_SECONDS
        return True


class RedisCache:
    """`ResultCache` on Redis; the connection is made on first use.

    `secret` returns `host`, `port`, `tls`, and either `username` and `password` or, with
    `authentication` set to `iam`, `username` and `replication_group_id`. `failures` counts what
    went wrong since the process started.
    """

    def __init__(
        self,
        *,
        secret: Callable[[], Mapping[str, Any]],
        renew_secret: Callable[[], None],
        breaker: Breaker | None = None,
        random: Random | None = None,
    ) -> None:
        self._secret = secret
        self._renew_secret = renew_secret
        self._breaker = breaker or Breaker()
        self._random = random or Random()  # noqa: S311 - spreads expiry, guards nothing
        self._client: Redis | None = None
        self.failures = 0

    def ask(self, *, key: str) -> PendingResult:
        """Send GET without waiting; the returned call reads the answer."""
        if self._breaker.is_open:
            return _nothing
        try:
            pool = self._redis().connection_pool
            connection = pool.get_connection()
        except _TROUBLE as error:
            self._trouble(error)
            return _nothing
        try:
            # redis-py leaves its connections without types.
            connection.send_command("GET", key)  # type: ignore[no-untyped-call]  # not typed by redis
        except _TROUBLE as error:
            self._broken(connection, pool, error)
            return _nothing
        return lambda: self._answer(connection, pool, key)

    def store(self, *, key: str, result: CachedResult) -> None:
        """Send SET under the version that the result was computed at."""
        text = json.dumps([SCHEMA, key, result.version, result.body], separators=(",", ":"))
        if self._breaker.is_open or len(text) > _LARGEST_BODY_BYTES:
            return
        try:
            self._redis().set(key, text, ex=self._time_to_live())
            self._breaker.succeed()
        except _TROUBLE as error:
            self._trouble(error)

    def _answer(
        self, connection: Connection, pool: ConnectionPool, key: str
    ) -> CachedResult | None:
        try:
            raw = connection.read_response()
            found = None if raw is None else _decode(raw, key=key)
        except _TROUBLE as error:
            self._broken(connection, pool, error)
            return None
        pool.release(connection)
        self._breaker.succeed()
        return found

    def _broken(self, connection: Connection, pool: ConnectionPool, error: Exception) -> None:
        # An answer that comes too late would be read as the answer to the next question.
        # redis-py leaves this method without types.
        connection.disconnect()  # type: ignore[no-untyped-call]  # not typed by redis
        pool.release(connection)
        self._trouble(error)

    def _redis(self) -> Redis:
        if self._client is None:
            self._client = _connect(self._secret())
        return self._client

    def _trouble(self, error: Exception) -> None:
        self.failures += 1
        opened = self._breaker.fail()
        if opened:
            logger.warning("cache left alone for a while", extra={"error": type(error).__name__})
        # After a failover the old primary may live on as a replica that answers reads for ever.
        if not opened and not isinstance(error, ReadOnlyError):
            return
        # The password may have been rotated, the endpoint moved: start over next time.
        client, self._client = self._client, None
        if client is not None:
            client.connection_pool.disconnect()
        self._renew_secret()

    def _time_to_live(self) -> int:
        spread = 1 + self._random.uniform(-_JITTER, _JITTER)
        return int(TIME_TO_LIVE_SECONDS * spread)


def _nothing() -> None:
    return None


def _decode(raw: bytes, *, key: str) -> CachedResult | None:
    """Read an entry whose header is equal in all, else nothing."""
    schema, stored_key, version, body = json.loads(raw)
    if schema != SCHEMA or stored_key != key or type(version) is not int:
        return None
    return CachedResult(version=version, body=body)


def _connect(secret: Mapping[str, Any]) -> Redis:
    return Redis(
        host=secret["host"],
        port=secret["port"],
        **_login(secret),
        ssl=bool(secret.get("tls")),
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
    )


def _login(secret: Mapping[str, Any]) -> dict[str, Any]:
    if secret.get("authentication") != "iam":
        return {"username": secret.get("username"), "password": secret.get("password")}
    login = IamLogin(
        username=secret["username"],
        replication_group_id=secret["replication_group_id"],
        session=botocore.session.get_session(),
    )
    return {"credential_provider": login}
