"""Rules of reads, through a cache that forgets and goes back in time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import rule

from billing_app.domain.instants import format_instant
from tests.property.history_client import CURSOR, FRAME, NOTHING, Held, HistoryClient, held_of
from tests.property.machine import PEOPLE, numbers, one_of
from tests.property.operator_rules import OperatorRules
from tests.property.service import Json

ways = st.sampled_from([CURSOR, FRAME, NOTHING])


@dataclass(frozen=True)
class Asking:
    """A sync; `own` tells whether what is held is of the apartment that is asked about."""

    who: UUID
    apartment: UUID
    client: HistoryClient
    by: str
    own: bool


class ReadRules(OperatorRules):
    """What residents look at, and what Redis does to it."""

    @rule(
        who=numbers,
        where=numbers,
        redis=st.sampled_from(["stands", "stands", "forgets", "is saved", "goes back"]),
    )
    def read_debts(self, who: int, where: int, redis: str) -> None:
        """Show what is owed, in whatever state the cache is."""
        self.redis(redis)
        name = one_of(("ada", "bob", "eve", *PEOPLE), who)
        apartment = self.home if where < 9 else self.other
        for time in ("first", "again"):
            before = self.service.cache.seen.copy()
            answer = self.ask("debts", "utils", self.subjects[name], apartment)
            found = " ".join(sorted(self.service.cache.seen - before))
            if answer.code is None:
                self.run.note(f"debts, cached, {time}: {found}")

    @rule(who=numbers, where=numbers, held=numbers, by=ways, kept=numbers, moved=numbers)
    def sync(self, who: int, where: int, held: int, by: str, kept: int, moved: int) -> None:
        """Sync with any state that any client ever had, maybe after seeing another past."""
        if moved > 5:
            self.move_out_and_in_again(who, moved)
        asking = self.asking(who, where < 9, held, by)
        if kept < 6:
            self.sync_once(asking, kept)
        else:
            self.sync_to_the_end(asking)
        if kept % 3 == 0:
            self.go_on_as_another(asking)

    def sync_once(self, asking: Asking, kept: int) -> None:
        """Ask once, and lose the end of the answer."""
        parts = self.parts(asking)
        if parts is None:
            return
        client = asking.client
        for part in parts[: kept + 1]:
            client = client.take(part)
            if asking.own:
                self.holds_what_is_covered(client, asking)
                self.clients.append((asking.apartment, client))

    def sync_to_the_end(self, asking: Asking) -> None:
        """Whatever is held, syncing until there is no more ends with the whole history."""
        who, apartment = asking.who, asking.apartment
        if not asking.own or self.model.access(subject=who, apartment_id=apartment) is None:
            return
        for _ in range(100):
            parts = self.parts(asking)
            client = HistoryClient() if parts is None else asking.client.take_all(parts)
            asking = replace(asking, client=client, by=FRAME if asking.by == FRAME else CURSOR)
            if parts is not None and not parts[-1]["more"]:
                break
        assert asking.client.events == self.there(asking)
        self.clients.append((apartment, asking.client))
        self.run.note("sync: to the end")

    def go_on_as_another(self, asking: Asking) -> None:
        """Another resident of the apartment goes on from what was held last."""
        of, client = self.clients[-1]
        for name in ("ada", "bob"):
            if of == self.home and self.subjects[name] != asking.who:
                other = Asking(self.subjects[name], of, client, FRAME, own=True)
                if self.would_hold_the_same(other):
                    self.sync_to_the_end(other)

    def would_hold_the_same(self, other: Asking) -> bool:
        """Whether another resident sees in the frame just what is held: some see less."""
        if other.client.covered is None:
            return False
        down, up = other.client.covered
        inside = {one for one in self.there(other) if down <= one.posted_at < up}
        return inside <= other.client.events

    def asking(self, who: int, home: bool, held: int, by: str) -> Asking:
        """Choose who asks, where, and from what they hold: the latest states are the likeliest."""
        name = one_of(("ada", "bob", "ada", "bob", *PEOPLE), who)
        apartment = self.home if home else self.other
        of, client = one_of(self.clients[::-1], held)
        own = of == apartment or client.covered is None or by == NOTHING
        # Who says that they hold nothing, forgets.
        client = HistoryClient() if by == NOTHING else client
        return Asking(self.subjects[name], apartment, client, by, own)

    def parts(self, asking: Asking) -> list[Json] | None:
        """Ask once; None if the answer is a rejection."""
        asked = asking.client.asks(asking.by)
        answer = self.ask("sync", "histories", asking.who, asking.apartment, **asked)
        if answer.code is not None:
            return None
        parts: list[Json] = answer.data
        assert held_of(e for part in parts for e in part["settled_debts"]) <= self.there(asking)
        self.note_reach(asking.client, parts)
        return parts

    def there(self, asking: Asking) -> frozenset[Held]:
        """Return what the resident may see of what was posted."""
        return frozenset(
            Held(
                one.kind,
                str(one.payment_id),
                str(one.bill.bill_id),
                format_instant(one.posted_at),
            )
            for one in self.model.seen(asking.who, asking.apartment)
        )

    def note_reach(self, client: HistoryClient, parts: list[Json]) -> None:
        """Note in which directions a frame changed, and whether the answer was cut."""
        self.run.note("sync: several parts" if len(parts) > 1 else "sync: one part")
        if parts[-1]["more"]:
            self.run.note("sync: more")
        if client.covered is None:
            return
        (down, up), reached = client.covered, parts[-1]["covered"]
        for what, happened in {
            "downward": reached["date_down"] < down,
            "upward": reached["date_up"] > up,
            "less is seen": reached["date_down"] > down,
        }.items():
            if happened:
                self.run.note(f"sync: {what}")

    def holds_what_is_covered(self, client: HistoryClient, asking: Asking) -> None:
        """Compare what is held with what there is inside of the frame."""
        assert client.covered is not None
        down, up = client.covered
        inside = {one for one in self.there(asking) if down <= one.posted_at < up}
        assert client.events == inside

    def redis(self, what: str) -> None:
        """Lose all entries, or put back those of an earlier moment."""
        redis = self.service.redis
        if what == "is saved":
            keys: Any = redis.keys("*")
            self.redis_was = {key: redis.get(key) for key in keys}
        elif what != "stands":
            redis.flushdb()
        if what == "goes back" and self.redis_was:
            redis.mset(dict(self.redis_was))
        self.run.note(f"redis: {what}")
