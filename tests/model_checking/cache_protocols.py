"""The shipped way to read through the cache, and ways that look as good and are wrong.

Each wrong way is a `CachedLedger` that answers questions in another way, or something that the
writer does after its commit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from billing_app.adapters.cached_ledger import CachedLedger, Question, Result
from billing_app.adapters.ledger_json import write_open_debts
from billing_app.domain.history import Position
from billing_app.domain.instants import TICK
from billing_app.ports.cache import CachedResult
from billing_app.use_cases.debts import show_debts
from billing_app.use_cases.history import HistorySync
from tests.model_checking.cache_checker import Program, Protocols
from tests.model_checking.cache_ledger import (
    MIDDLE,
    NOW,
    Change,
    Ports,
    Scenario,
    SteppedCache,
)

AfterCommit = Callable[[Ports, CachedResult], None]


def debts_by(way: type[CachedLedger]) -> Program:
    """Show the debts as shipped, read in a way of one's own."""

    def read(ports: Ports) -> Any:
        return show_debts(
            reader=way(ports.ledger, ports.cache),
            clock=lambda: NOW,
            subject=ports.told.ada,
            apartment_id=ports.told.home,
        )

    return read


read_debts = debts_by(CachedLedger)


def read_history(start: Position | None) -> Program:
    """Sync the history as shipped, with what a client holds."""

    def read(ports: Ports) -> Any:
        reader = CachedLedger(ports.ledger, ports.cache)
        return HistorySync(reader, ports.told.ada, ports.told.home).update(start)

    return read


def shipped(told: Scenario, reader: Program = read_debts) -> Protocols:
    """Nobody touches the cache after a commit: readers compare versions."""
    return Protocols(told, reader, _writing(told.changes, _nothing))


def shipped_history(told: Scenario) -> Protocols:
    """A client that holds the middle lacks what is older and what is newer: two reads.

    When the ledger moves between these, it is sent everything.
    """
    protocols = shipped(told, read_history(Position(MIDDLE, MIDDLE + TICK)))
    return replace(protocols, also_true=read_history(None))


def delete_after_commit(told: Scenario) -> Protocols:
    """Readers believe what they find; the writer deletes it."""

    def delete(ports: Ports, result: CachedResult) -> None:
        ports.script.ask("write", ("delete", _key(told), ""))

    return Protocols(told, debts_by(Believing), _writing(told.changes, delete))


def write_through(told: Scenario) -> Protocols:
    """Readers believe what they find; the writer puts the new result there."""

    def store(ports: Ports, result: CachedResult) -> None:
        ports.cache.store(key=_key(told), result=result)

    return Protocols(told, debts_by(Believing), _writing(told.changes, store))


def set_if_newer(told: Scenario) -> Protocols:
    """As write_through, but nothing is replaced by what is older."""

    def store(ports: Ports, result: CachedResult) -> None:
        ports.cache.newer_only.store(key=_key(told), result=result)

    return Protocols(told, debts_by(BelievingNewer), _writing(told.changes, store))


def version_in_redis(told: Scenario) -> Protocols:
    """Readers compare with a version that the writer keeps in Redis."""

    def store(ports: Ports, result: CachedResult) -> None:
        version = CachedResult(result.version, None)
        ports.cache.newer_only.store(key=_version_key(told.home), result=version)

    return Protocols(told, debts_by(ComparingInRedis), _writing(told.changes, store))


def version_read_apart(told: Scenario) -> Protocols:
    """Readers compare as shipped, but label a body with a version that they read afterwards."""
    return Protocols(told, debts_by(Labelling), _writing(told.changes, _nothing))


class Believing(CachedLedger):
    """Believes whatever the cache has."""

    def _answer(self, question: Question[Result]) -> Result | None:
        cached = self._cache.ask(key=question.key)()
        if cached is not None:
            return question.read(cached.body)
        computed = question.compute()
        if computed is not None:
            self._keep(question.key, CachedResult(computed.version, question.write(computed)))
        return computed

    def _keep(self, key: str, result: CachedResult) -> None:
        self._cache.store(key=key, result=result)


class BelievingNewer(Believing):
    """As Believing, but replaces nothing by what is older."""

    def _keep(self, key: str, result: CachedResult) -> None:
        _newer_only(self._cache).store(key=key, result=result)


class ComparingInRedis(CachedLedger):
    """Compares with a version that Redis keeps."""

    def _answer(self, question: Question[Result]) -> Result | None:
        version_key = _version_key(question.apartment_id)
        known = self._cache.ask(key=version_key)()
        cached = self._cache.ask(key=question.key)()
        if known is not None and cached is not None and cached.version == known.version:
            return question.read(cached.body)
        computed = question.compute()
        if computed is not None:
            result = CachedResult(computed.version, question.write(computed))
            self._cache.store(key=question.key, result=result)
            version = CachedResult(computed.version, None)
            _newer_only(self._cache).store(key=version_key, result=version)
        return computed


class Labelling(CachedLedger):
    """Labels a body with a version that it reads afterwards."""

    def _answer(self, question: Question[Result]) -> Result | None:
        cached = self._cache.ask(key=question.key)()
        whose = {"subject": question.subject, "apartment_id": question.apartment_id}
        access = self._ledger.access(**whose)
        if access is not None and cached is not None and cached.version == access.version:
            return question.read(cached.body)
        computed = question.compute()
        access = self._ledger.access(**whose)
        if access is not None and computed is not None:
            result = CachedResult(access.version, question.write(computed))
            self._cache.store(key=question.key, result=result)
        return computed


def _newer_only(cache: Any) -> SteppedCache:
    stepped: SteppedCache = cache.newer_only
    return stepped


def _nothing(ports: Ports, result: CachedResult) -> None:
    """Leave the cache alone after a commit."""


def _writing(changes: Any, after_commit: AfterCommit) -> Program:
    def write(ports: Ports) -> None:
        for number, change in enumerate(changes, start=1):
            _change(ports, change, number, after_commit)

    return write


def _change(ports: Ports, change: Change, number: int, after_commit: AfterCommit) -> None:
    ports.commit(change)
    found = ports.told.at[number]
    owed = found.open_debts(subject=ports.told.ada, apartment_id=ports.told.home)
    if owed is not None:
        after_commit(ports, CachedResult(owed.version, write_open_debts(owed)))
    ports.answer()


def _key(told: Scenario) -> str:
    return f"debts:{told.home.hex}"


def _version_key(home: UUID) -> str:
    return f"version:{home.hex}"
