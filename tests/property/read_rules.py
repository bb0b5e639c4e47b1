"""Rules of reads, through a cache that forgets and goes back in time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property.history_client import CURSOR, FRAME, NOTHING, Held, HistoryClient
from tests.property.machine import PEOPLE, numbers, one_of
from tests.property.operator_rules import OperatorRules
from tests.property.service import NOW
from tests.property.totals import period, provider, totals
from tests.property.values import Answer, Json, Line

ways = st.sampled_from([CURSOR, FRAME, NOTHING])


@dataclass(frozen=True)
class Asking:
    """A sync; `own` tells whether what is held is of the apartment that is asked about."""

    who: str
    apartment: str
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
            answer = self.service.debts(self.subjects[name], apartment)
            self.same("debts", answer, self.debts_of(self.subjects[name], apartment))
            found = " ".join(sorted(self.service.cache.seen - before))
            if answer.code is None:
                self.run.note(f"debts, cached, {time}: {found}")

    def debts_of(self, who: str, apartment: str) -> Answer:
        """Return what should be shown."""
        if self.model.since(who, apartment) is None:
            return Answer("apartment_not_found")
        owed, providers = self.model.open(apartment), self.model.providers
        part = {
            "apartment_id": apartment,
            "version": self.model.apartments[apartment].version,
            "as_of": NOW.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            **totals(owed, providers),
            "debts": [_debt(bill.bill_id, bill.line, providers) for bill in owed],
        }
        return Answer(None, [part])

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
        if not asking.own or self.model.since(asking.who, asking.apartment) is None:
            return
        for _ in range(100):
            parts = self.parts(asking)
            client = HistoryClient() if parts is None else asking.client.take_all(parts)
            asking = replace(asking, client=client, by=FRAME if asking.by == FRAME else CURSOR)
            if parts is not None and not parts[-1]["more"]:
                break
        there = self.model.history(asking.who, asking.apartment)
        assert asking.client.events == held_of(there)
        self.clients.append((asking.apartment, asking.client))
        self.run.note("sync: to the end")

    def go_on_as_another(self, asking: Asking) -> None:
        """Another resident of the apartment goes on from what was held last."""
        of, client = self.clients[-1]
        for name in ("ada", "bob"):
            if of == self.home and self.subjects[name] != asking.who:
                other = Asking(self.subjects[name], of, client, FRAME, own=True)
                self.sync_to_the_end(other)

    def asking(self, who: int, home: bool, held: int, by: str) -> Asking:
        """Choose who asks, where, and from what they hold: the latest states are the likeliest."""
        name = one_of(("ada", "bob", "ada", "bob", *PEOPLE), who)
        apartment = self.home if home else self.other
        of, client = one_of(self.clients[::-1], held)
        own = of == apartment or client.covered is None or by == NOTHING
        return Asking(self.subjects[name], apartment, client.may_have_asked(by), by, own)

    def parts(self, asking: Asking) -> list[Json] | None:
        """Ask once; None if the answer is a rejection."""
        asked = asking.client.asks(asking.by)
        answer = self.service.sync(asking.who, asking.apartment, asked)
        self.same("sync", Answer(answer.code), Answer(self.rejection(asking, asked)))
        if answer.code is not None:
            return None
        parts: list[Json] = answer.data
        version = self.model.apartments[asking.apartment].version
        assert {part["version"] for part in parts} == {version}
        there = held_of(self.model.history(asking.who, asking.apartment))
        assert {Held.of(e) for part in parts for e in part["settled_debts"]} <= there
        self.note_reach(asking.client, parts)
        return parts

    def rejection(self, asking: Asking, asked: Json) -> str | None:
        """Return why a sync can't be answered."""
        if asked["cursor"] and not asking.own:
            return "invalid_cursor"
        if self.model.since(asking.who, asking.apartment) is None:
            return "apartment_not_found"
        end = self.model.history_end(asking.who, asking.apartment)
        return "history_frame_unknown" if asked["date_up"] and asked["date_up"] > end else None

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
        there = self.model.history(asking.who, asking.apartment)
        assert client.events == held_of([e for e in there if down <= e["posted_at"] < up])

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


def held_of(events: Iterable[Json]) -> frozenset[Held]:
    """Return events as a client keeps them."""
    return frozenset(map(Held.of, events))


def _debt(bill_id: str, line: Line, providers: dict[str, str]) -> Json:
    late = (NOW.date() - date.fromisoformat(line.due_on)).days
    return {
        "bill_id": bill_id,
        "utility": line.utility,
        "provider": provider(line, providers),
        "period": period(line),
        "due_on": line.due_on,
        "days_overdue": max(0, late),
        "amount_minor": line.amount,
        "currency": line.currency,
    }
