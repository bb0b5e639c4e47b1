"""Two readers, a writer and a Redis that fails: all that can happen next.

A reader reads again and again, without end; so does every fault strike. The writer goes through its
scenario once. What a reader answers is checked in the step in which it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Protocol

from tests.model_checking.cache_ledger import Ports, Scenario
from tests.model_checking.explorer import Explored, Move, explore
from tests.model_checking.steps import Answers, Call, Finished, run

Program = Callable[[Ports], Any]
Stepping = Callable[[Answers], Call | Finished]
Write = tuple[str, str, str]
PROMISES = ("I9", "snapshot")
UNASKED, UNSERVED = "unasked", "unserved"


class Reader(NamedTuple):
    """A read that runs: what was committed and answered when it began, and how far it is.

    `got` is what Redis has answered, once it has, and the reader has not read yet.
    """

    began: int
    answered: int
    answers: Answers = ()
    got: Any = UNASKED


class System(NamedTuple):
    """Everything that the next step depends on. A reader that is None reads nothing now."""

    committed: int
    answered: int
    writer: Answers
    readers: tuple[Reader | None, ...]
    redis: Any


class Redis(Protocol):
    """What a Redis may do; its state is a value."""

    @property
    def start(self) -> Any:
        """The state of one that nobody has used."""

    def writes(self, state: Any, write: Write) -> Iterator[tuple[str, Any]]:
        """Tell the ways in which a write may end."""

    def serves(self, state: Any, key: str) -> Iterator[tuple[str, str | None]]:
        """Tell the answers that may be given, before the reader looks."""

    def reads(self, state: Any, key: str, got: Any) -> Iterator[tuple[str, str | None]]:
        """Tell what the reader may find when it looks."""

    def troubles(self, state: Any) -> Iterator[tuple[str, Any]]:
        """Tell what may happen to it while nobody asks."""


@dataclass(frozen=True)
class Protocols:
    """How the cache is read and how the ledger is changed.

    `also_true`: what may be answered as well, whatever `reader` answers where nobody disturbs it.
    """

    told: Scenario
    reader: Program
    writer: Program
    also_true: Program | None = None


class Checker:
    """All moves of a system, and the verdict on each answer by the promises that are asked for."""

    def __init__(
        self, protocols: Protocols, redis: Redis, *, promises: Sequence[str] = PROMISES
    ) -> None:
        self._protocols = protocols
        self._redis = redis
        self._promises = promises
        self._read = self._stepping(protocols.reader)
        self._write = self._stepping(protocols.writer)
        self._truths = cache(self._undisturbed)

    def _stepping(self, program: Program) -> Stepping:
        told = self._protocols.told
        return cache(lambda answers: run(lambda script: program(Ports(script, told)), answers))

    def explore(self) -> Explored:
        """Visit every state."""
        start = System(0, 0, (), (None, None), self._redis.start)
        return explore(start, self.moves, alike=_alike)

    def moves(self, system: System) -> Iterator[Move[System]]:
        """Tell all that can happen next."""
        yield from self._writer_moves(system)
        for place, reader in enumerate(system.readers):
            # Readers are alike: of several that rest, one gets up.
            if reader is None and system.readers.index(None) == place:
                began = Reader(system.committed, system.answered)
                yield from self._reader_moves(system, place, began)
            elif reader is not None:
                yield from self._reader_moves(system, place, reader)
        for told, redis in self._redis.troubles(system.redis):
            yield Move(told, f"Redis {told}", system._replace(redis=redis))

    def _writer_moves(self, system: System) -> Iterator[Move[System]]:
        call = self._write(system.writer)
        if isinstance(call, Finished):
            return
        if call.name == "write":
            for told, redis in self._redis.writes(system.redis, call.given):
                then = system._replace(writer=(*system.writer, None), redis=redis)
                yield Move(told, f"the writer sends {call.given[0]}: {told}", then)
            return
        committed = system.committed + (call.name == "commit")
        answered = committed if call.name == "answer" else system.answered
        told = call.given if call.name == "commit" else "and is answered"
        writer = (*system.writer, committed)
        then = system._replace(committed=committed, answered=answered, writer=writer)
        yield Move(f"writer: {call.name}", f"the writer: {told}", then)

    def _reader_moves(self, system: System, place: int, reader: Reader) -> Iterator[Move[System]]:
        call = self._read(reader.answers)
        if isinstance(call, Finished):
            raise TypeError("a reader that is through takes no step")
        if call.name == "ledger":
            after = reader._replace(answers=(*reader.answers, system.committed))
            yield self._step(system, place, after, f"asks the ledger for {call.given}")
        elif call.name == "get":
            after = reader._replace(answers=(*reader.answers, None), got=UNSERVED)
            yield self._step(system, place, after, "asks Redis")
        elif call.name == "write":
            after = reader._replace(answers=(*reader.answers, None))
            for told, redis in self._redis.writes(system.redis, call.given):
                sent = system._replace(redis=redis)
                yield self._step(sent, place, after, f"sends {call.given[0]}: {told}")
        else:
            yield from self._looks(system, place, reader, call.given)

    def _looks(
        self, system: System, place: int, reader: Reader, key: str
    ) -> Iterator[Move[System]]:
        if reader.got == UNSERVED:
            for told, text in self._redis.serves(system.redis, key):
                yield self._step(system, place, reader._replace(got=(text,)), told)
        for told, text in self._redis.reads(system.redis, key, reader.got):
            after = reader._replace(answers=(*reader.answers, text), got=UNASKED)
            yield self._step(system, place, after, told)

    def _step(self, system: System, place: int, reader: Reader, told: str) -> Move[System]:
        """Take a reader one step on, and judge what it answers if it is through."""
        following = self._read(reader.answers)
        now = None if isinstance(following, Finished) else reader
        readers = (now, system.readers[1]) if place == 0 else (system.readers[0], now)
        broken = (
            self._violation(system, reader, following) if isinstance(following, Finished) else None
        )
        then = System(system.committed, system.answered, system.writer, readers, system.redis)
        return Move(told, f"reader {place + 1} {told}", then, broken)

    def _violation(self, system: System, reader: Reader, answer: Finished) -> str | None:
        shown = self._paid_debts(system, reader, answer)
        if "I9" in self._promises and shown:
            return f"I9: the payment was answered before the read began; it shows {shown} as debt"
        moments = range(reader.began, system.committed + 1)
        true = any(answer in self._truths(moment) for moment in moments)
        if "snapshot" in self._promises and not true:
            return f"snapshot: the answer was true at no moment of the read: {answer}"
        return None

    def _paid_debts(self, system: System, reader: Reader, answer: Finished) -> str:
        """Name the debts in the answer that were paid, and so answered, before the read began."""
        home = self._protocols.told.home
        ledger = self._protocols.told.at
        paid = dict(ledger[reader.answered].apartments[home].paid)
        for moment in range(reader.answered, system.committed + 1):
            for bill in ledger[moment].apartments[home].open:
                paid.pop(bill, None)
        owed = {debt.bill_id for debt in getattr(answer.result, "debts", ())}
        return ", ".join(f"the bill of {d.due_on}" for b, d in paid.items() if b in owed)

    def _undisturbed(self, moment: int) -> list[Finished]:
        """Return what is answered when nothing else happens and Redis is empty."""
        protocols = self._protocols
        programs = [protocols.reader, *filter(None, [protocols.also_true])]
        return [_alone(self._stepping(program), moment) for program in programs]


def _alone(step: Stepping, moment: int) -> Finished:
    answers: Answers = ()
    while isinstance(call := step(answers), Call):
        answers = (*answers, moment if call.name == "ledger" else None)
    return call


def _alike(system: System) -> System:
    """Which of the two readers is which means nothing."""
    one, other = system.readers
    readers = system.readers if hash(one) <= hash(other) else (other, one)
    return system._replace(readers=readers)
