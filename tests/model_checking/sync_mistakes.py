"""Ways to get the sync wrong that a review may let pass: on a server, in books, in a client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

from billing_client.history import HistoryState

from billing_app.domain import history as domain
from billing_app.domain.instants import TICK
from billing_app.ports.ledger import HistoryPage, HistoryQuery
from billing_app.use_cases import history as use_case
from tests.model_checking.sync_clients import DocumentedClient
from tests.model_checking.sync_ledger import Ledger, Posted, Server
from tests.support.fakes import FakeLedger
from tests.support.model_client import DocClient, Held


class ClosedOnTop(FakeLedger):
    """Takes `date_up` for the last instant that the client holds."""

    def history(
        self, *, subject: UUID, apartment_id: UUID, query: HistoryQuery
    ) -> HistoryPage | None:
        if query.known_to is not None:
            query = replace(query, known_to=query.known_to + TICK)
        return super().history(subject=subject, apartment_id=apartment_id, query=query)


class ServerWithClosedFrames(Server):
    """Reads frames as closed, and writes them half-open."""

    def fake(self, ledger: Ledger) -> FakeLedger:
        fake = super().fake(ledger)
        closed = ClosedOnTop()
        closed.apartments, closed.residencies = fake.apartments, fake.residencies
        return closed


def posted_at_one_instant(ledger: Ledger, event: str, payment: int, lines: int) -> Ledger:
    """Post all at the time of the clock."""
    posted = (Posted(event, payment, line, ledger.now) for line in range(lines))
    return ledger._replace(events=(*ledger.events, *posted))


def posted_by_an_early_clock(ledger: Ledger, event: str, payment: int, lines: int) -> Ledger:
    """Post with a time that was asked for before the apartment was locked."""
    late = ledger._replace(events=()).post(event, payment, lines).events
    moved = (posted._replace(at=posted.at + ledger.end - 2) for posted in late)
    return ledger._replace(events=(*ledger.events, *moved))


@dataclass(frozen=True, slots=True)
class Hoarder(DocClient):
    """Adds events, and drops none."""

    def take(self, part: Mapping[str, Any]) -> DocClient:
        added = frozenset(map(Held.of, part["settled_debts"]))
        covered = part["covered"]["date_down"], part["covered"]["date_up"]
        return Hoarder(covered, part["cursor"], self.events | added)


class ClientThatDropsCovered(DocumentedClient):
    """Believes events, and not `covered`."""

    nothing: DocClient = Hoarder()


@contextmanager
def covered_without_its_tick() -> Iterator[None]:
    """`covered` ends at the last event, and not just after it."""
    with patch.object(domain, "TICK", timedelta(0)):
        yield


@contextmanager
def nothing_older_is_sent() -> Iterator[None]:
    """A stretch is extended upward alone."""
    with patch.object(use_case, "_extend_downward", lambda _reader, found, **_: found):
        yield


@contextmanager
def the_stretch_is_not_clamped() -> Iterator[None]:
    """What a client held is covered, whether or not it may still be seen."""
    clamp = use_case._clamp
    with patch.object(
        use_case, "_clamp", lambda start, bounds: start or clamp(start, bounds=bounds)
    ):
        yield


@contextmanager
def the_public_client_keeps_everything() -> Iterator[None]:
    """A frame that shrinks drops nothing."""
    with patch.object(HistoryState, "_shrinks_to", lambda _state, _covered: False):
        yield


@contextmanager
def the_rest_of_a_page_is_forgotten() -> Iterator[None]:
    """There is never more."""
    parts = use_case._parts
    with patch.object(
        use_case,
        "_parts",
        lambda answer, apartment_id: parts(replace(answer, more=False), apartment_id=apartment_id),
    ):
        yield
