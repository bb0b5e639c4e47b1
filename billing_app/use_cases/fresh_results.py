"""Reading computed results without ever believing an old one.

Freshness is judged by comparing with the version read from Postgres on the writer, where the
permission is read anyway. So whatever the cache does (loses, delays, restores an old snapshot),
the worst is a miss.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from billing_app.domain.errors import Refusal
from billing_app.ports.books import Books
from billing_app.ports.cache import CachedResult, ResultCache


def fresh_result(
    *,
    books: Books,
    cache: ResultCache,
    subject: UUID,
    apartment_id: UUID,
    key: str,
    compute: Callable[[], CachedResult | None],
) -> CachedResult:
    """Return the result at the current version, from the cache or computed and then kept.

    `compute` returns version and body from one snapshot, None when access was lost meanwhile.

    Raises:
        Refusal: `apartment_not_found`.
        Unavailable: the database does not answer.
    """
    pending = cache.ask(key=key)
    try:
        access = books.access(subject=subject, apartment_id=apartment_id)
    finally:
        # Whatever the books say: a question whose answer nobody reads keeps its connection.
        cached = pending()
    if access is None:
        raise Refusal("apartment_not_found")
    if cached is not None and cached.version == access.version:
        return cached
    computed = compute()
    if computed is None:
        raise Refusal("apartment_not_found")
    cache.store(key=key, result=computed)
    return computed
