"""The law of history sync: whatever happens on the way, a client ends with the server's history."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest
from billing_client import BillingClient, BillingError, HistoryState
from billing_client.models import Frame, HistoryEvent
from billing_client.serialization import encode_event
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.fake_api import FakeApi, Fault
from tests.support.fake_ledger import START, FakeApartment, bill, instant


@dataclass
class QuickClock:
    """Time that passes when somebody waits for it."""

    now: float = 0.0

    def monotonic(self) -> float:
        self.now += 0.001
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass(frozen=True)
class Weather:
    """How the way to the server is during one sync."""

    seed: int
    part_size: int
    page_size: int
    answer_times: int
    lose_acknowledgements: bool
    drops: int
    batch: int


weathers = st.builds(
    Weather,
    seed=st.integers(0, 10_000),
    part_size=st.integers(1, 5),
    page_size=st.integers(1, 12),
    answer_times=st.integers(1, 3),
    lose_acknowledgements=st.booleans(),
    drops=st.integers(0, 2),
    batch=st.integers(1, 10),
)
# Between two syncs: payments, reversals, the loss or gain of what may be seen, a crash.
deeds = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(1, 6)),
        st.tuples(st.just("reverse"), st.integers(0, 20)),
        st.tuples(st.just("restore"), st.integers(1, 5)),
        st.tuples(st.just("see_from"), st.integers(0, 30)),
        st.tuples(st.just("crash_after"), st.integers(1, 3)),
    ),
    max_size=4,
)


def world() -> tuple[FakeApi, FakeApartment, BillingClient]:
    api = FakeApi()
    api.queues.visibility_seconds = 0.0
    flat = api.ledger.add_apartment(api.ledger.add_user())
    client = BillingClient(
        "http://billing.test",
        http=httpx.Client(transport=api.transport()),
        clock=QuickClock(),
        timeout_seconds=3600,
    )
    client.login("ada", "secret")
    return api, flat, client


def apply_weather(api: FakeApi, weather: Weather) -> None:
    api.ledger.part_size, api.ledger.page_size = weather.part_size, weather.page_size
    api.queues.shuffle = random.Random(weather.seed)
    api.queues.batch = weather.batch
    api.queues.lose_acknowledgements = weather.lose_acknowledgements
    api.answer_times = weather.answer_times
    api.faults = [Fault("drop_after", times=weather.drops)]


def pay(flat: FakeApartment, count: int) -> None:
    for _ in range(count):
        line = {k: v for k, v in bill().items() if k not in ("due_on", "days_overdue")}
        flat.post(**line, payment_id=f"p{flat.posted}", receipt_number=f"R-{flat.posted}")


def reverse(flat: FakeApartment, which: int) -> None:
    reversed_before = {e["payment_id"] for e in flat.events if e["event"] == "reversal"}
    paid = [event for event in flat.events if event["payment_id"] not in reversed_before]
    if paid:
        flat.post(**{**paid[which % len(paid)], "event": "reversal"})


def restore(flat: FakeApartment, count: int) -> None:
    """Bring the database back to an earlier point in time; what follows is posted later."""
    del flat.events[-count:]


def see_from(flat: FakeApartment, seconds: int) -> None:
    flat.visible_from = START + timedelta(seconds=seconds)


DEEDS = {"pay": pay, "reverse": reverse, "restore": restore, "see_from": see_from}


def held(events: tuple[HistoryEvent, ...]) -> list[tuple[str, str, str]]:
    return [event.identity for event in events]


def of_server(flat: FakeApartment) -> list[tuple[str, str, str]]:
    return [(e["event"], e["payment_id"], e["bill_id"]) for e in flat.visible()]


def steps(client: BillingClient, state: HistoryState) -> Iterator[HistoryState]:
    return client.history_steps(HistoryState.from_json(state.as_json()))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(deeds, weathers), min_size=1, max_size=4))
def test_any_series_of_syncs_ends_with_the_servers_history(
    rounds: list[tuple[list[tuple[str, int]], Weather]],
) -> None:
    api, flat, client = world()
    state = HistoryState(flat.apartment_id)
    for done, weather in rounds:
        apply_weather(api, weather)
        # A service that went back in time and on again past the client's frame can't be told
        # from one that did not; so a sync follows at once.
        for deed, number in sorted(done, key=lambda deed: deed[0] == "restore"):
            if deed == "crash_after":
                state = crash_after(client, state, number)
            else:
                DEEDS[deed](flat, number)
        for step in steps(client, state):
            assert set(held(step.events)) <= set(of_server(flat))
            state = step
        assert held(state.events) == of_server(flat)


def crash_after(client: BillingClient, state: HistoryState, parts: int) -> HistoryState:
    """Keep what was on disk when the process died after some parts."""
    for number, step in enumerate(steps(client, state), start=1):
        state = step
        if number == parts:
            break
    return state


@pytest.mark.parametrize("posted", [True, False])
def test_a_frame_that_shrinks_drops_what_lies_outside_even_without_posting_instants(
    posted: bool,
) -> None:
    _, flat, client = world()
    pay(flat, 6)
    state = client.sync_history(HistoryState(flat.apartment_id))
    if not posted:
        state = replace(state, events=tuple(replace(e, posted_at=None) for e in state.events))
    see_from(flat, 4)
    state = client.sync_history(state)
    assert held(state.events) == of_server(flat)
    assert len(state.events) == 3


def test_a_history_that_has_more_but_does_not_go_on_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api, flat, client = world()
    pay(flat, 2)
    answer = api.ledger.history(api.ledger.users["ada"].subject, flat.apartment_id, _nothing())
    answer["parts"][-1]["more"] = True
    monkeypatch.setattr(api.ledger, "history", lambda *_: answer)
    with pytest.raises(BillingError, match="makes no progress"):
        client.sync_history(HistoryState(flat.apartment_id))


def _nothing() -> dict[str, None]:
    return {"date_up": None, "date_down": None}


def test_a_cursor_that_is_not_known_starts_again() -> None:
    _, flat, client = world()
    pay(flat, 3)
    beyond = Frame(instant(START), instant(START + timedelta(days=900)))
    stale = HistoryState(
        flat.apartment_id,
        beyond,
        "stale",
        client.sync_history(HistoryState(flat.apartment_id)).events,
    )
    assert held(client.sync_history(stale).events) == of_server(flat)


def test_history_on_disk_reads_back_as_it_was() -> None:
    _, flat, client = world()
    pay(flat, 3)
    state = client.sync_history(HistoryState(flat.apartment_id))
    assert HistoryState.from_json(state.as_json()) == state
    assert encode_event(state.events[0])["posted_at"] == flat.events[0]["posted_at"]
