"""Two readers, a writer and Redis: all that can happen next, and the verdict on each answer.

A reader reads again and again, without end; the writer goes through its scenario once. What a
reader answers is checked in the step in which it answers.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from billing_app.adapters.ledger_json import write_open_debts
from billing_app.adapters.redis_cache import SCHEMA, _decode
from billing_app.ports.cache import CachedResult, PendingResult, ResultCache
from billing_app.ports.ledger import PaymentOrder
from tests.model_checking.explorer import Explored, Move, explore
from tests.model_checking.steps import Answers, Call, Finished, Script, run
from tests.support.bills import a_debt
from tests.support.fake_ledger import FakeLedger

PROMISES = ("I9", "snapshot")
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Scenario:
    """What happens to the ledger: `at[n]` is what it is after n changes."""

    home: UUID
    ada: UUID
    changes: Sequence[str]
    at: Sequence[FakeLedger]


def scenario(*changes: str) -> Scenario:
    """Tell a scenario of an apartment that owes A and B; two bills were paid before."""
    ledger = FakeLedger()
    home = ledger.new_apartment()
    ada = ledger.new_resident("Ada", home)

    def pay(*bills: UUID) -> None:
        ledger.clock.advance(_SECOND)
        ledger.pay(PaymentOrder(ada, f"{len(ledger.payments)}", home, bills, None))

    def reverse() -> None:
        ledger.reverse_payment(payment_id=list(ledger.payments)[-1])

    for _ in range(2):
        pay(ledger.issue(home, a_debt()))
    bill_a, bill_b = (ledger.issue(home, a_debt(month=n, amount_minor=n)) for n in (1, 2))
    acts: dict[str, Callable[[], object]] = {
        "Ada pays A": partial(pay, bill_a),
        "Ada pays B": partial(pay, bill_b),
        "Ada pays A and B": partial(pay, bill_a, bill_b),
        "the payment is reversed": reverse,
        "Ada moves out": partial(ledger.end_residency, subject=ada, apartment_id=home),
    }
    at = [copy.deepcopy(ledger)]
    for change in changes:
        acts[change]()
        at.append(copy.deepcopy(ledger))
    return Scenario(home, ada, changes, at)


class SteppedLedger:
    """A ledger whose every call is a step: its answer is the number of changes that it saw."""

    def __init__(self, script: Script, told: Scenario) -> None:
        self._script = script
        self._told = told

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**asked: Any) -> Any:
            changes: int = self._script.ask("ledger", name)
            return getattr(self._told.at[changes], name)(**asked)

        return call


class SteppedCache(ResultCache):
    """A cache whose every call is a step; what it keeps is the text that Redis would hold."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def ask(self, *, key: str) -> PendingResult:
        return lambda: self._decoded(self._script.ask("read", key), key)

    def store(self, *, key: str, result: CachedResult) -> None:
        self.write("set", key, result)

    def write(self, command: str, key: str, result: CachedResult) -> None:
        """Send a command that changes the key: set, set if newer, or delete."""
        text = json.dumps([SCHEMA, key, result.version, result.body])
        self._script.ask("write", (command, key, text))

    def _decoded(self, text: str | None, key: str) -> CachedResult | None:
        return None if text is None else _decode(text.encode(), key=key)


Entries = frozenset[tuple[str, str]]


class Redis(Protocol):
    """What a Redis may do with commands and questions; what it remembers is a value."""

    def written(self, entries: Entries, command: str, key: str, text: str) -> Entries:
        """Return what it remembers after a command."""

    def answers(self, entries: Entries, key: str) -> Iterator[str | None]:
        """Give all that it may answer."""


class SoundRedis:
    """Does what it is told, at once."""

    def written(self, entries: Entries, command: str, key: str, text: str) -> Entries:
        held = dict(entries)
        if command == "delete":
            held.pop(key, None)
        elif command == "set" or _version(text) > _version(held.get(key)):
            held[key] = text
        return frozenset(held.items())

    def answers(self, entries: Entries, key: str) -> Iterator[str | None]:
        yield dict(entries).get(key)


class FailingRedis:
    """Answers with any entry that was ever sent for the key, or with none.

    Nothing else comes of lost and late writes, eviction, flushing, old copies, replicas that lag,
    answers that are late, and errors, in whatever order and number they strike.
    """

    def written(self, entries: Entries, command: str, key: str, text: str) -> Entries:
        return entries | {(key, text)}

    def answers(self, entries: Entries, key: str) -> Iterator[str | None]:
        yield None
        yield from (text for stored, text in entries if stored == key)


def _version(text: str | None) -> int:
    return -1 if text is None else int(json.loads(text)[2])


Read = Callable[[Scenario, Any, SteppedCache], Any]


@dataclass(frozen=True)
class CacheProtocol:
    """How the cache is read, and what the writer does to it between a change and its answer."""

    read: Read
    after_change: Callable[[SteppedCache, Scenario, CachedResult], None] = lambda *_: None


class Reader(NamedTuple):
    """A read that runs: what was committed and answered when it began, and how far it is."""

    committed: int
    answered: int
    answers: Answers = ()


class System(NamedTuple):
    """Everything that the next step depends on. A reader that is None reads nothing now."""

    committed: int = 0
    answered: int = 0
    writer: Answers = ()
    readers: tuple[Reader | None, ...] = (None, None)
    redis: Entries = frozenset()


class Model:
    """All moves of a system, judged by the promises that are asked for."""

    def __init__(
        self,
        protocol: CacheProtocol,
        told: Scenario,
        redis: Redis,
        *,
        promises: Sequence[str] = PROMISES,
    ) -> None:
        self._protocol = protocol
        self._told = told
        self._redis = redis
        self._promises = promises
        self._read = self._stepping(protocol.read)
        self._write = cache(partial(run, self._writer))
        self._truths = cache(self._undisturbed)

    def explore(self) -> Explored:
        """Visit every state."""
        return explore(System(), self.moves)

    def moves(self, system: System) -> Iterator[Move[System]]:
        """Tell all that can happen next."""
        call = self._write(system.writer)
        if isinstance(call, Call):
            for told, answer, then in self._ends(system, call):
                writer = (*system.writer, answer)
                yield Move(f"the writer {told}", then._replace(writer=writer))
        for place, reader in enumerate(system.readers):
            # Readers are alike: of several that rest, one gets up.
            if reader is not None or None not in system.readers[:place]:
                began = reader or Reader(system.committed, system.answered)
                yield from self._reader_moves(system, place, began)

    def _reader_moves(self, system: System, place: int, reader: Reader) -> Iterator[Move[System]]:
        call = self._read(reader.answers)
        assert isinstance(call, Call)
        for told, answer, then in self._ends(system, call):
            now: Reader | None = reader._replace(answers=(*reader.answers, answer))
            broken = None
            end = self._read((*reader.answers, answer))
            if isinstance(end, Finished):
                now, broken = None, self._violation(system, reader, end)
            readers = (*system.readers[:place], now, *system.readers[place + 1 :])
            yield Move(f"reader {place + 1} {told}", then._replace(readers=readers), broken)

    def _ends(self, system: System, call: Call) -> Iterator[tuple[str, Any, System]]:
        """Give the ways in which a call may end: in words, with its answer and what is then."""
        match call.name:
            case "commit":
                yield (
                    f"commits: {call.given}",
                    None,
                    system._replace(committed=system.committed + 1),
                )
            case "answer":
                yield "is answered", None, system._replace(answered=system.committed)
            case "ledger":
                yield f"asks the ledger for {call.given}", system.committed, system
            case "write":
                redis = self._redis.written(system.redis, *call.given)
                yield f"sends {call.given[0]}", None, system._replace(redis=redis)
            case "read":
                for text in self._redis.answers(system.redis, call.given):
                    found = "nothing" if text is None else f"version {_version(text)}"
                    yield f"reads {found}", text, system

    def _violation(self, system: System, reader: Reader, answer: Finished) -> str | None:
        shown = self._paid_debts(system, reader, answer)
        if "I9" in self._promises and shown:
            return f"I9: the payment was answered before the read began; it shows {shown} as debt"
        moments = range(reader.committed, system.committed + 1)
        true = any(answer == self._truths(moment) for moment in moments)
        if "snapshot" in self._promises and not true:
            return f"snapshot: the answer was true at no moment of the read: {answer}"
        return None

    def _paid_debts(self, system: System, reader: Reader, answer: Finished) -> str:
        """Name the debts in the answer that were paid, and so answered, before the read began."""
        at = self._told.at
        paid = {bill.bill_id for bill in at[reader.answered].bills_in("settled")}
        for moment in range(reader.answered, system.committed + 1):
            paid -= {bill.bill_id for bill in at[moment].bills_in("open")}
        shown = [one for one in getattr(answer.result, "debts", ()) if one.bill_id in paid]
        return ", ".join(f"the bill of {debt.period.first_day}" for debt in shown)

    def _undisturbed(self, moment: int) -> Finished:
        """Return what is answered when nothing else happens and Redis is empty."""
        return _alone(self._read, moment)

    def _stepping(self, read: Read) -> Callable[[Answers], Call | Finished]:
        def program(script: Script) -> Any:
            return read(self._told, SteppedLedger(script, self._told), SteppedCache(script))

        return cache(partial(run, program))

    def _writer(self, script: Script) -> None:
        told = self._told
        for change, ledger in zip(told.changes, told.at[1:], strict=True):
            script.ask("commit", change)
            owed = ledger.open_debts(subject=told.ada, apartment_id=told.home)
            if owed is not None:
                result = CachedResult(owed.version, write_open_debts(owed))
                self._protocol.after_change(SteppedCache(script), told, result)
            script.ask("answer")


def _alone(step: Callable[[Answers], Call | Finished], moment: int) -> Finished:
    answers: Answers = ()
    while isinstance(call := step(answers), Call):
        answers = (*answers, moment if call.name == "ledger" else None)
    return call
