"""Reads an apartment through the cache without ever believing an old result.

Freshness is judged by comparing with the version read from Postgres on the writer, where the
permission is read anyway. So whatever the cache does (loses, delays, restores an old snapshot),
the worst is a miss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from billing_app.adapters import ledger_json
from billing_app.domain.bills import OpenDebts
from billing_app.ports.cache import CachedResult, ResultCache
from billing_app.ports.ledger import HistoryPage, HistoryQuery, Ledger

Result = TypeVar("Result", OpenDebts, HistoryPage)


@dataclass(frozen=True, slots=True)
class Question(Generic[Result]):
    """What a resident asks of an apartment, and how to come by an answer.

    The answer is kept for this resident alone: no two need see the same of an apartment. `compute`
    takes the answer and its version from one snapshot of the ledger; None when the
    resident may not act there.
    """

    subject: UUID
    apartment_id: UUID
    what: str
    compute: Callable[[], Result | None]
    read: Callable[[Any], Result]
    write: Callable[[Result], Any]

    @property
    def key(self) -> str:
        """The key of the answer in the cache."""
        return f"{self.what}:{self.apartment_id.hex}:{self.subject.hex}"


class CachedLedger:
    """`ApartmentReader` on a ledger and a cache."""

    def __init__(self, ledger: Ledger, cache: ResultCache) -> None:
        self._ledger = ledger
        self._cache = cache

    def open_debts(self, *, subject: UUID, apartment_id: UUID) -> OpenDebts | None:
        """Return the open bills that the resident sees."""
        return self._answer(
            Question(
                subject,
                apartment_id,
                what="debts",
                compute=lambda: self._ledger.open_debts(subject=subject, apartment_id=apartment_id),
                read=ledger_json.read_open_debts,
                write=ledger_json.write_open_debts,
            )
        )

    def history(
        self, *, subject: UUID, apartment_id: UUID, query: HistoryQuery
    ) -> HistoryPage | None:
        """Return a page of the history that the resident sees.

        Only the first page of a client that holds nothing is kept. Where others begin is a client's
        word: each position that it makes up would be an entry.
        """
        if query != HistoryQuery(0, None, None, query.limit):
            return self._ledger.history(subject=subject, apartment_id=apartment_id, query=query)
        return self._answer(
            Question(
                subject,
                apartment_id,
                what=f"history/{query.limit}",
                compute=lambda: self._ledger.history(
                    subject=subject, apartment_id=apartment_id, query=query
                ),
                read=ledger_json.read_history_page,
                write=ledger_json.write_history_page,
            )
        )

    def _answer(self, question: Question[Result]) -> Result | None:
        """Return the answer at the current version, from the cache or computed and then kept."""
        pending = self._cache.ask(key=question.key)
        try:
            access = self._ledger.access(
                subject=question.subject, apartment_id=question.apartment_id
            )
        finally:
            # Whatever the ledger says: a question whose answer nobody reads keeps its connection.
            cached = pending()
        if access is None:
            return None
        if cached is not None and cached.version == access.version:
            return question.read(cached.body)
        computed = question.compute()
        if computed is not None:
            result = CachedResult(computed.version, question.write(computed))
            self._cache.store(key=question.key, result=result)
        return computed
