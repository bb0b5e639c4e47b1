"""The shipped way to read through the cache, and ways that look as good and are wrong.

Each wrong way replaces `fresh_result` inside the shipped `show_debts`, or what the writer does
after its commit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from billing_app.domain.errors import Rejection
from billing_app.domain.history import Frame
from billing_app.domain.instants import TICK
from billing_app.ports.cache import CachedResult
from billing_app.ports.ledger import Ledger
from billing_app.use_cases import debts
from billing_app.use_cases.debts import show_debts
from billing_app.use_cases.history import sync_history
from tests.model_checking.cache_ledger import (
    MIDDLE,
    NOW,
    Change,
    Ports,
    SteppedCache,
    Story,
)
from tests.model_checking.cache_world import Program, Protocols

Compute = Callable[[], CachedResult | None]
AfterCommit = Callable[[Ports, CachedResult], None]


def read_debts(ports: Ports) -> Any:
    """Show the debts as shipped."""
    return show_debts(
        ledger=ports.ledger,
        cache=ports.cache,
        clock=lambda: NOW,
        subject=ports.told.ada,
        apartment_id=ports.told.home,
    )


def read_history(frame: Frame | None) -> Program:
    """Sync the history as shipped, with what a client holds."""

    def read(ports: Ports) -> Any:
        return sync_history(
            ledger=ports.ledger,
            cache=ports.cache,
            subject=ports.told.ada,
            apartment_id=ports.told.home,
            frame=frame,
            cursor=None,
        )

    return read


def shipped(told: Story, reader: Program = read_debts) -> Protocols:
    """Nobody touches the cache after a commit: readers compare versions."""
    return Protocols(told, reader, _writing(told.changes, _nothing))


def shipped_history(told: Story) -> Protocols:
    """A client that holds the middle lacks what is older and what is newer: two reads.

    When the books move between these, it is sent everything.
    """
    protocols = shipped(told, read_history(Frame(MIDDLE, MIDDLE + TICK)))
    return replace(protocols, also_true=read_history(None))


def delete_after_commit(told: Story) -> Protocols:
    """Readers believe what they find; the writer deletes it."""

    def delete(ports: Ports, result: CachedResult) -> None:
        ports.script.ask("write", ("delete", _key(told), ""))

    return Protocols(told, _debts_by(_believing), _writing(told.changes, delete))


def write_through(told: Story) -> Protocols:
    """Readers believe what they find; the writer puts the new result there."""

    def store(ports: Ports, result: CachedResult) -> None:
        ports.cache.store(key=_key(told), result=result)

    return Protocols(told, _debts_by(_believing), _writing(told.changes, store))


def set_if_newer(told: Story) -> Protocols:
    """As write_through, but nothing is replaced by what is older."""

    def store(ports: Ports, result: CachedResult) -> None:
        ports.cache.newer_only.store(key=_key(told), result=result)

    return Protocols(told, _debts_by(_believing_newer), _writing(told.changes, store))


def version_in_redis(told: Story) -> Protocols:
    """Readers compare with a version that the writer keeps in Redis."""

    def store(ports: Ports, result: CachedResult) -> None:
        version = CachedResult(result.version, None)
        ports.cache.newer_only.store(key=_version_key(told.home), result=version)

    return Protocols(told, _debts_by(_comparing_in_redis), _writing(told.changes, store))


def version_read_apart(told: Story) -> Protocols:
    """Readers compare as shipped, but label a body with a version that they read afterwards."""
    return Protocols(told, _debts_by(_labelling), _writing(told.changes, _nothing))


def _believing(*, cache: SteppedCache, key: str, compute: Compute, **_: Any) -> CachedResult:
    cached = cache.ask(key=key)()
    if cached is not None:
        return cached
    computed = _computed(compute)
    cache.store(key=key, result=computed)
    return computed


def _believing_newer(*, cache: SteppedCache, key: str, compute: Compute, **_: Any) -> CachedResult:
    cached = cache.ask(key=key)()
    if cached is not None:
        return cached
    computed = _computed(compute)
    cache.newer_only.store(key=key, result=computed)
    return computed


def _comparing_in_redis(
    *, cache: SteppedCache, apartment_id: UUID, key: str, compute: Compute, **_: Any
) -> CachedResult:
    known = cache.ask(key=_version_key(apartment_id))()
    cached = cache.ask(key=key)()
    if known is not None and cached is not None and cached.version == known.version:
        return cached
    computed = _computed(compute)
    cache.store(key=key, result=computed)
    cache.newer_only.store(
        key=_version_key(apartment_id), result=CachedResult(computed.version, None)
    )
    return computed


def _labelling(
    *,
    ledger: Ledger,
    cache: SteppedCache,
    subject: UUID,
    apartment_id: UUID,
    key: str,
    compute: Compute,
) -> CachedResult:
    cached = cache.ask(key=key)()
    access = ledger.access(subject=subject, apartment_id=apartment_id)
    if access is not None and cached is not None and cached.version == access.version:
        return cached
    computed = _computed(compute)
    access = ledger.access(subject=subject, apartment_id=apartment_id)
    if access is not None:
        cache.store(key=key, result=CachedResult(access.version, computed.body))
    return computed


def _nothing(ports: Ports, result: CachedResult) -> None:
    """Leave the cache alone after a commit."""


def _computed(compute: Compute) -> CachedResult:
    computed = compute()
    if computed is None:
        raise Rejection("apartment_not_found")
    return computed


def _debts_by(fresh_result: Callable[..., CachedResult]) -> Program:
    def read(ports: Ports) -> Any:
        with patch.object(debts, "fresh_result", fresh_result):
            return read_debts(ports)

    return read


def _writing(changes: Any, after_commit: AfterCommit) -> Program:
    def write(ports: Ports) -> None:
        for number, change in enumerate(changes, start=1):
            _change(ports, change, number, after_commit)

    return write


def _change(ports: Ports, change: Change, number: int, after_commit: AfterCommit) -> None:
    ports.commit(change)
    found = ports.told.at[number]
    result = debts._compute(found, subject=ports.told.ada, apartment_id=ports.told.home)
    if result is not None:
        after_commit(ports, result)
    ports.answer()


def _key(told: Story) -> str:
    return f"debts:{told.home.hex}"


def _version_key(home: UUID) -> str:
    return f"version:{home.hex}"
