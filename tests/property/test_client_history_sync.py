"""Whatever happens between and during syncs, the client ends with the server's history."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from billing_client import BillingClient, BillingError, HistoryEvent, HistoryState
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.billing_service import (
    BillingService,
    Fault,
    FaultyTransport,
    Residency,
    small_parts,
)
from tests.support.bills import a_debt
from tests.support.fake_bills import START


@dataclass(frozen=True)
class Conditions:
    """How requests and replies travel during one sync."""

    seed: int
    item_bytes: int
    page_events: int
    answer_times: int
    lose_acknowledgements: bool
    drops: int
    batch: int


conditions = st.builds(
    Conditions,
    seed=st.integers(0, 10_000),
    item_bytes=st.integers(300, 2_000),
    page_events=st.integers(1, 12),
    answer_times=st.integers(1, 3),
    lose_acknowledgements=st.booleans(),
    drops=st.integers(0, 2),
    batch=st.integers(1, 10),
)
# Between two syncs: payments, reversals, a restored backup, another start of what the resident may
# see, a crash.
changes = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(1, 6)),
        st.tuples(st.just("reverse"), st.integers(0, 20)),
        st.tuples(st.just("restore"), st.integers(1, 5)),
        st.tuples(st.just("see_from"), st.integers(0, 30)),
        st.tuples(st.just("crash_after"), st.integers(1, 3)),
    ),
    max_size=4,
)


def start() -> tuple[FaultyTransport, Residency, BillingClient]:
    service = BillingService()
    service.queues.visibility_seconds = 0.0
    apartment = service.add_apartment(service.add_resident())
    wire = FaultyTransport(service)
    client = BillingClient(
        "http://billing.test",
        http=httpx.Client(transport=wire),
        clock=service.clock,
        timeout_seconds=3600,
    )
    client.login("ada", "secret")
    return wire, apartment, client


def pay(apartment: Residency, count: int) -> None:
    apartment.pays(*(a_debt() for _ in range(count)))


def reverse(apartment: Residency, which: int) -> None:
    ledger = apartment.service.ledger
    paid = [payment for payment in ledger.payments.values() if payment.reversal is None]
    if paid:
        ledger.reverse_payment(payment_id=paid[which % len(paid)].receipt.payment_id)


def restore(apartment: Residency, count: int) -> None:
    """Restore a backup from before the last postings: they are gone, and so is the cache."""
    ledger, events = apartment.service.ledger, apartment.events
    lost = sorted({event.settled_at for event in events})[-count:]
    for event in [event for event in reversed(events) if event.settled_at in lost]:
        if event.kind == "reversal":
            ledger.bills[event.bill.bill_id].state = "settled"
            ledger.payments[event.payment_id].reversal = None
        else:
            ledger.payments.pop(event.payment_id, None)
        events.remove(event)
    apartment.service.cache.entries.clear()
    # What follows a restore is posted later.
    ledger.clock.advance(timedelta(seconds=1))


def see_from(apartment: Residency, which: int) -> None:
    """Let the resident see the history from one of its events on, or from the start."""
    instants = [START, *(event.posted_at for event in apartment.events)]
    apartment.service.ledger.clock.advance(timedelta(seconds=1))
    apartment.service.show_from(apartment, instants[which % len(instants)])


CHANGES = {"pay": pay, "reverse": reverse, "restore": restore, "see_from": see_from}


def on_client(events: tuple[HistoryEvent, ...]) -> list[tuple[str, str, str]]:
    return [event.identity for event in events]


def on_server(apartment: Residency) -> list[tuple[str, str, str]]:
    return [
        (event.kind, str(event.payment_id), str(event.bill.bill_id))
        for event in apartment.service.ledger.seen(apartment.subject, apartment.id)
    ]


def steps(client: BillingClient, state: HistoryState) -> Iterator[HistoryState]:
    """Sync from what was stored."""
    stored = HistoryState.from_json(state.as_json())
    assert stored == state
    return client.history_steps(stored)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(changes, conditions), max_size=4))
def test_a_client_ends_with_the_servers_history(
    rounds: list[tuple[list[tuple[str, int]], Conditions]],
) -> None:
    wire, apartment, client = start()
    state = HistoryState(apartment.apartment_id)
    for done, during in rounds:
        queues = apartment.service.queues
        queues.shuffle, queues.batch = random.Random(during.seed), during.batch
        queues.lose_acknowledgements = during.lose_acknowledgements
        apartment.service.answer_times = during.answer_times
        wire.faults = [Fault("drop_after", times=during.drops)]
        with small_parts(item_bytes=during.item_bytes, page_events=during.page_events):
            # A service that was restored and has passed the client's frame since can't be
            # recognized, so a sync follows each restore.
            for change, number in sorted(done, key=lambda change: change[0] == "restore"):
                if change == "crash_after":
                    state = crash_after(client, state, number)
                else:
                    CHANGES[change](apartment, number)
            for step in steps(client, state):
                assert set(on_client(step.events)) <= set(on_server(apartment))
                state = step
        assert on_client(state.events) == on_server(apartment)


def crash_after(client: BillingClient, state: HistoryState, parts: int) -> HistoryState:
    """Return what was stored when the process died after some parts."""
    for number, step in enumerate(steps(client, state), start=1):
        state = step
        if number == parts:
            break
    return state


@pytest.mark.parametrize("posted", [True, False])
def test_a_smaller_frame_drops_events_outside_even_without_posting_instants(posted: bool) -> None:
    _, apartment, client = start()
    pay(apartment, 6)
    state = client.sync_history(HistoryState(apartment.apartment_id))
    assert [one.posted_at for one in state.events] == [one.posted_at for one in apartment.events]
    if not posted:
        state = replace(state, events=tuple(replace(e, posted_at=None) for e in state.events))
    see_from(apartment, 4)
    state = client.sync_history(state)
    assert on_client(state.events) == on_server(apartment)
    assert len(state.events) == 3


@pytest.mark.parametrize(
    ("lie", "error"),
    [
        ({"more": True}, "makes no progress"),
        ({"apartment_id": str(UUID(int=7))}, "another apartment"),
    ],
)
def test_a_history_that_can_not_be_is_an_error(lie: dict[str, Any], error: str) -> None:
    _, apartment, client = start()
    pay(apartment, 2)
    apartment.service.edit = lambda reply: {**reply, "data": {**reply["data"], **lie}}
    with pytest.raises(BillingError, match=error):
        client.sync_history(HistoryState(apartment.apartment_id))


def test_an_unknown_cursor_reads_the_history_again() -> None:
    _, apartment, client = start()
    pay(apartment, 3)
    state = client.sync_history(HistoryState(apartment.apartment_id))
    elsewhere = apartment.service.add_apartment(apartment.subject)
    pay(elsewhere, 1)
    theirs = client.sync_history(HistoryState(elsewhere.apartment_id))
    stale = replace(state, cursor=theirs.cursor)
    assert on_client(client.sync_history(stale).events) == on_server(apartment)
