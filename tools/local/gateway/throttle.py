"""Throttling as API Gateway's stages do it: a token bucket a method, for all callers together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from tools.local.gateway.errors import GatewayError
from tools.local.service import Throttle


class TokenBucket:
    """Lets `rate` requests per second pass, and `burst` at once."""

    def __init__(
        self, *, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = float(burst)
        self._at = clock()

    def take(self) -> None:
        """Take a token; raises GatewayError THROTTLED when there is none."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
            if self._tokens < 1:
                raise GatewayError("THROTTLED")
            self._tokens -= 1


class Throttles:
    """A bucket for each operation of the contract: `posts` says how large, or else `polls`.

    `share` is how much of the limits there is, for a machine that is smaller than AWS.
    """

    def __init__(
        self,
        limits: Mapping[str, Throttle],
        *,
        share: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits, self._share, self._clock = limits, share, clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], TokenBucket] = {}

    def take(self, method: str, path: str) -> None:
        """Let a request to an operation pass; raises GatewayError THROTTLED when it may not."""
        with self._lock:
            bucket = self._buckets.get((method, path)) or self._fill(method, path)
        bucket.take()

    def _fill(self, method: str, path: str) -> TokenBucket:
        limit = self._limits["posts" if method == "POST" else "polls"]
        bucket = TokenBucket(
            rate=limit.rate * self._share,
            burst=max(1, round(limit.burst * self._share)),
            clock=self._clock,
        )
        self._buckets[method, path] = bucket
        return bucket
