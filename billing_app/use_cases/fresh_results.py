"""Reading computed results without ever believing an old one.

Freshness is judged by comparing with the version read from Postgres on the writer, where the
permission is read anyway. So whatever the cache does (loses, delays, restores an old snapshot),
the worst is a miss.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from billing_app.domain.errors import Rejection
from billing_app.ports.cache import CachedResult, ResultCache
from billing_app.ports.ledger import Ledger


def fresh_result(
    *,
    ledger: Ledger,
    cache: ResultCache,
    subject: UUID,
    apartment_id: UUID,
    key: str,
    compute: Callable[[], CachedResult | None],
) -> CachedResult:
    """Return the result at the current version, from the cache or computed and then kept.

    `compute` returns version and body from one snapshot, None when access was lost meanwhile.

    Raises:
        Rejection: `apartment_not_found`.
        Unavailable: the database does not answer.
    """
    pending = cache.ask(key=key)
    try:
        access = ledger.access(subject=subject, apartment_id=apartment_id)
    finally:
        # Whatever the books say: a question whose answer nobody reads keeps its connection.
        cached = pending()
    if access is None:
        raise Rejection("apartment_not_found")
    if cached is not None and cached.version == access.version:
        return cached
    computed = compute()
    if computed is None:
        raise Rejection("apartment_not_found")
    cache.store(key=key, result=computed)
    return computed
