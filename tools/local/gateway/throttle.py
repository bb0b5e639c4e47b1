"""Throttling as API Gateway's stages do it: a token bucket a method, for all callers together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from tools.local.gateway.errors import GatewayError
from tools.local.service import Throttle


class Throttles:
    """A bucket for each operation of the contract: `posts` says how large, or else `polls`.

    A bucket lets `rate` requests a second pass, and `burst` at once. `share` is how much of the
    limits there is, for a machine that is smaller than AWS.
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
        # Tokens left, and when that was counted.
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def take(self, method: str, path: str) -> None:
        """Let a request to an operation pass.

        Raises:
            GatewayError: THROTTLED, when it may not.
        """
        limit = self._limits["posts" if method == "POST" else "polls"]
        burst, now = max(1, round(limit.burst * self._share)), self._clock()
        with self._lock:
            tokens, counted = self._buckets.get((method, path), (float(burst), now))
            tokens = min(burst, tokens + (now - counted) * limit.rate * self._share)
            self._buckets[method, path] = (tokens if tokens < 1 else tokens - 1, now)
        if tokens < 1:
            raise GatewayError("THROTTLED")
