"""The shipped way to read through the cache, and ways that look as good and are wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from billing_app.adapters.cached_ledger import CachedLedger, Question, Result
from billing_app.ports.cache import CachedResult
from billing_app.use_cases.debts import show_debts
from billing_app.use_cases.history import HistorySync
from tests.model_checking.cache_model import CacheProtocol, Read, Scenario, SteppedCache
from tests.support.fake_bills import START

NOW = START + timedelta(days=40)


def debts_by(way: type[CachedLedger]) -> Read:
    """Show the debts as shipped, read in a way of one's own."""

    def read(told: Scenario, ledger: Any, cache: SteppedCache) -> Any:
        return show_debts(
            reader=way(ledger, cache),
            clock=lambda: NOW,
            calendar=told.at[0].day_of,
            subject=told.ada,
            apartment_id=told.home,
        )

    return read


def whole_history(told: Scenario, ledger: Any, cache: SteppedCache) -> Any:
    """Sync the history as shipped; what a client holds begins elsewhere and is never cached."""
    return HistorySync(CachedLedger(ledger, cache), told.ada, told.home).update(None)


# Nobody touches the cache after a change: readers compare versions.
DEBTS = CacheProtocol(debts_by(CachedLedger))
WHOLE_HISTORY = CacheProtocol(whole_history)


class Believing(CachedLedger):
    """Believes whatever the cache has."""

    def _answer(self, question: Question[Result]) -> Result | None:
        cached = self._cache.ask(key=question.key)()
        if cached is not None and self._is_current(question, cached):
            return question.read(cached.body)
        computed = question.compute()
        if computed is not None:
            self._keep(question, CachedResult(computed.version, question.write(computed)))
        return computed

    def _is_current(self, question: Question[Result], cached: CachedResult) -> bool:
        return True

    def _keep(self, question: Question[Result], result: CachedResult) -> None:
        self._cache.store(key=question.key, result=result)


class BelievingNewer(Believing):
    """As Believing, but replaces nothing by what is older."""

    def _keep(self, question: Question[Result], result: CachedResult) -> None:
        set_if_newer(self._cache, question.key, result)


class ComparingInRedis(Believing):
    """Compares with a version that Redis keeps."""

    def _is_current(self, question: Question[Result], cached: CachedResult) -> bool:
        known = self._cache.ask(key=version_key(question.apartment_id))()
        return known is not None and known.version == cached.version

    def _keep(self, question: Question[Result], result: CachedResult) -> None:
        super()._keep(question, result)
        keep_version(self._cache, question.apartment_id, result)


class Labelling(Believing):
    """Compares as shipped, but labels a body with a version that it reads afterwards."""

    def _is_current(self, question: Question[Result], cached: CachedResult) -> bool:
        return self._version(question) == cached.version

    def _keep(self, question: Question[Result], result: CachedResult) -> None:
        super()._keep(question, CachedResult(self._version(question), result.body))

    def _version(self, question: Question[Result]) -> int:
        whose = {"subject": question.subject, "apartment_id": question.apartment_id}
        access = self._ledger.access(**whose)
        return access.version if access else 0


def debts_key(told: Scenario) -> str:
    """Return the key under which the shipped reader keeps debts."""
    return f"debts:{told.home.hex}:{told.ada.hex}"


def version_key(home: UUID) -> str:
    """Return the key of a version that Redis keeps."""
    return f"version:{home.hex}"


def set_if_newer(cache: Any, key: str, result: CachedResult) -> None:
    """Keep a result unless there is a newer one."""
    cache.write("set if newer", key, result)


def keep_version(cache: Any, home: UUID, result: CachedResult) -> None:
    """Keep the result's version alone, unless there is a newer one."""
    set_if_newer(cache, version_key(home), CachedResult(result.version, None))


# Readers believe what they find; the writer deletes it, or puts the new result there.
WRONG_AT_ONCE = {
    "delete_after_commit": CacheProtocol(
        debts_by(Believing),
        lambda cache, told, result: cache.write("delete", debts_key(told), result),
    ),
    "write_through": CacheProtocol(
        debts_by(Believing),
        lambda cache, told, result: cache.store(key=debts_key(told), result=result),
    ),
    "version_read_apart": CacheProtocol(debts_by(Labelling)),
}
WRONG_WHEN_REDIS_FAILS = {
    "set_if_newer": CacheProtocol(
        debts_by(BelievingNewer),
        lambda cache, told, result: set_if_newer(cache, debts_key(told), result),
    ),
    "version_in_redis": CacheProtocol(
        debts_by(ComparingInRedis),
        lambda cache, told, result: keep_version(cache, told.home, result),
    ),
}
