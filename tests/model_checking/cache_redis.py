"""Redis as a value: one with faults that have names, and one that says all it was ever told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tests.model_checking.cache_checker import UNSERVED, Write

FAULTS = frozenset(
    {"lost", "late", "evicted", "flushed", "snapshot", "failover", "rejected", "hung", "garbage"}
)
GARBAGE = "\x00garbage"
Entries = frozenset[tuple[str, str]]


class Kept(NamedTuple):
    """What it holds, an older copy of that, and writes that are still under way."""

    entries: Entries = frozenset()
    copy: Entries = frozenset()
    late: frozenset[Write] = frozenset()


EMPTY = Kept()


@dataclass(frozen=True)
class FaultyRedis:
    """Entries by key, and faults that strike at any time and any number of times.

    `copy` is a snapshot on disk as well as a replica that lags: what was held at some time. At most
    `under_way` writes are late at a time.
    """

    faults: frozenset[str] = FAULTS
    under_way: int = 2
    start: Kept = EMPTY

    def writes(self, state: Kept, write: Write) -> Iterator[tuple[str, Kept]]:
        """It arrives at once, later, or never."""
        yield "done", _written(state, write)
        if self.faults & {"lost", "rejected", "hung"}:
            yield "lost", state
        if "late" in self.faults and len(state.late | {write}) <= self.under_way:
            yield "late", state._replace(late=state.late | {write})

    def serves(self, state: Kept, key: str) -> Iterator[tuple[str, str | None]]:
        """The question arrives and is answered, some time before the answer is read."""
        held = dict(state.entries).get(key)
        yield "is answered by Redis", held

    def reads(
        self, state: Kept, key: str, got: str | tuple[str | None]
    ) -> Iterator[tuple[str, str | None]]:
        """The answer is read, or none comes in time, or it is none."""
        if isinstance(got, tuple):
            yield "reads the answer", got[0]
        if "hung" in self.faults:
            yield "times out", None
        if "rejected" in self.faults and got == UNSERVED:
            yield "is rejected", None
        if "garbage" in self.faults and got == UNSERVED:
            yield "reads garbage", GARBAGE

    def troubles(self, state: Kept) -> Iterator[tuple[str, Kept]]:
        """Late writes arrive, in any order; entries vanish; an older state comes back."""
        for write in state.late:
            arrived = _written(state, write)
            yield (
                f"a late {write[0]} arrives: {_shown(write)}",
                arrived._replace(late=state.late - {write}),
            )
        if "evicted" in self.faults:
            for entry in state.entries:
                yield "evicts an entry", state._replace(entries=state.entries - {entry})
        if "flushed" in self.faults:
            yield "is flushed", state._replace(entries=frozenset())
        if "snapshot" in self.faults:
            yield "is saved", state._replace(copy=state.entries)
            yield "is restored from what was saved", state._replace(entries=state.copy)
        if "failover" in self.faults:
            yield "replicates", state._replace(copy=state.entries)
            yield "fails over to a stale replica", state._replace(entries=state.copy)


@dataclass(frozen=True)
class LyingRedis:
    """Answers each question with any entry that was ever sent for its key, or with none.

    Whatever FaultyRedis may answer, with any number of writes under way and of snapshots, this may
    answer, too; so a protocol that it can't harm withstands all of those.
    """

    start: Entries = frozenset()

    def writes(self, state: Entries, write: Write) -> Iterator[tuple[str, Entries]]:
        """It may be heard of again, any time."""
        yield "done", state | {write[1:]}

    def serves(self, state: Entries, key: str) -> Iterator[tuple[str, str | None]]:
        """Whenever it is asked, it may answer what it may answer when that is read."""
        yield from ()

    def reads(self, state: Entries, key: str, got: object) -> Iterator[tuple[str, str | None]]:
        """Anything."""
        yield "reads nothing", None
        for stored, text in state:
            if stored == key:
                yield f"reads {_version(text)}", text

    def troubles(self, state: Entries) -> Iterator[tuple[str, Entries]]:
        """Nothing that it could not do anyway."""
        yield from ()


def _written(state: Kept, write: Write) -> Kept:
    command, key, text = write
    entries = dict(state.entries)
    if command == "delete":
        entries.pop(key, None)
    elif command == "set" or _is_newer(text, entries.get(key)):
        entries[key] = text
    return state._replace(entries=frozenset(entries.items()))


def _is_newer(text: str, held: str | None) -> bool:
    return held is None or json.loads(text)[2] > json.loads(held)[2]


def _shown(write: Write) -> str:
    return _version(write[2]) if write[2] else write[1]


def _version(text: str) -> str:
    return f"version {json.loads(text)[2]}"
