"""Computed results, kept where losing or doubting them only costs computing them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

PendingResult = Callable[[], "CachedResult | None"]


@dataclass(frozen=True, slots=True)
class CachedResult:
    """A result and the version of the ledger that it was computed at.

    `body` holds only what JSON has a form for; whoever stored it knows how to read it.
    """

    version: int
    body: Any


class ResultCache(Protocol):
    """A cache that never decides about freshness: callers compare versions. It never raises."""

    def ask(self, *, key: str) -> PendingResult:
        """Send the question now; the returned call waits a few milliseconds for the answer.

        It must be called, since a connection may wait for it.

        The answer is None when the cache has nothing, is slow, broken, or lies about the key.
        """

    def store(self, *, key: str, result: CachedResult) -> None:
        """Keep the result; a lost store only causes a miss."""
