"""The law of history: any series of syncs equals one full read.

The client here follows the protocol of docs/api.md and may lose parts at any time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from billing_app.domain.errors import Refusal
from billing_app.domain.history import frame_from
from billing_app.domain.instants import format_instant
from billing_app.ports.books import PaymentOrder
from billing_app.use_cases import history
from billing_app.use_cases.history import sync_history
from tests.support.examples import a_debt
from tests.support.fakes import START, FakeBooks, FakeCache

Json = dict[str, Any]
Identity = tuple[str, str, str]


def identity(event: Json) -> Identity:
    return event["event"], event["payment_id"], event["bill_id"]


@dataclass
class Client:
    """A client that keeps what it was sent, and believes `covered`."""

    covered: Json | None = None
    cursor: str | None = None
    events: dict[Identity, Json] = field(default_factory=dict)

    def take(self, part: Json) -> None:
        for event in part["settled_debts"]:
            self.events[identity(event)] = event
        self.covered, self.cursor = part["covered"], part["cursor"]
        down, up = part["covered"]["date_down"], part["covered"]["date_up"]
        self.events = {k: e for k, e in self.events.items() if down <= e["posted_at"] < up}


class HistorySync(RuleBasedStateMachine):
    clients = Bundle("clients")
    payments = Bundle("payments")

    @initialize(page=st.integers(1, 6), part_bytes=st.integers(400, 4000))
    def start(self, page: int, part_bytes: int) -> None:
        """Make pages and parts small, so that a few payments already need several."""
        self.patches = [
            patch.object(history, "PAGE_EVENTS", page),
            patch.object(history, "PART_MAX_BYTES", history._ENVELOPE_BYTES + part_bytes),
        ]
        for one in self.patches:
            one.start()
        self.books = FakeBooks()
        self.cache = FakeCache()
        self.home = self.books.add_apartment()
        self.ada = self.books.add_resident("Ada", self.home)
        self.keys = 0

    def teardown(self) -> None:
        for one in getattr(self, "patches", []):
            one.stop()

    @rule(target=clients)
    def new_client(self) -> Client:
        return Client()

    @rule(target=payments, amounts=st.lists(st.integers(1, 10**9), min_size=1, max_size=4))
    def pay(self, amounts: list[int]) -> Any:
        bills = [self.books.issue(self.home, a_debt(amount_minor=one)) for one in amounts]
        self.keys += 1
        order = PaymentOrder(self.ada, str(self.keys), self.home, tuple(bills), sum(amounts))
        return multiple(self.books.pay(order)["payment_id"])

    @rule(payment=payments)
    def reverse(self, payment: str) -> None:
        paid = self.books.apartments[self.home].paid
        _, debts, _ = self.books.payments[payment]
        if all(debt.bill_id in paid for debt in debts):
            self.books.reverse(payment)

    @rule(minutes=st.integers(0, 3))
    def wait(self, minutes: int) -> None:
        self.books.clock.advance(timedelta(minutes=minutes))

    @rule()
    def redis_forgets(self) -> None:
        self.cache.entries.clear()

    @rule(minutes=st.integers(-30, 30))
    def move_out_and_in_again(self, minutes: int) -> None:
        """The resident sees what was posted since another instant from now on."""
        key = (self.ada, self.home)
        self.books.residencies[key] = START + timedelta(minutes=minutes)
        self.books.apartments[self.home].version += 1

    @rule(client=clients, by_cursor=st.booleans(), lost_after=st.integers(1, 5))
    def sync_and_lose_the_rest(self, client: Client, by_cursor: bool, lost_after: int) -> None:
        for part in self.answer(client, by_cursor=by_cursor)[:lost_after]:
            client.take(part)

    @rule(client=clients, by_cursor=st.booleans())
    def sync_to_the_end(self, client: Client, by_cursor: bool) -> None:
        for _ in range(200):
            parts = self.answer(client, by_cursor=by_cursor)
            for part in parts:
                client.take(part)
            if not parts[-1]["more"]:
                break
        assert sorted(client.events) == sorted(self.full_read())

    def answer(self, client: Client, *, by_cursor: bool) -> list[Json]:
        covered = client.covered or {"date_down": None, "date_up": None}
        frame = frame_from(date_down=covered["date_down"], date_up=covered["date_up"])
        cursor = client.cursor if by_cursor else None
        try:
            return self.sync(self.ada, frame, cursor)
        except Refusal as refusal:
            if refusal.code != "history_frame_unknown":
                raise
            return self.sync(self.ada, None, None)

    def sync(self, subject: UUID, frame: Any, cursor: str | None) -> list[Json]:
        return sync_history(
            books=self.books,
            cache=self.cache,
            subject=subject,
            apartment_id=self.home,
            frame=frame,
            cursor=cursor,
        )

    def full_read(self) -> set[Identity]:
        since = self.books.residencies[self.ada, self.home]
        return {
            identity(event)
            for event in self.books.apartments[self.home].events
            if event["posted_at"] >= format_instant(since)
        }

    @invariant()
    def posting_instants_grow(self) -> None:
        if hasattr(self, "books"):
            posted = [event["posted_at"] for event in self.books.apartments[self.home].events]
            assert posted == sorted(set(posted))


TestHistorySync = HistorySync.TestCase
TestHistorySync.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
