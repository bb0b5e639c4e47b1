"""Throttling as API Gateway's stages do it: a token bucket for all callers together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from localcloud.gateway.errors import GatewayError


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
