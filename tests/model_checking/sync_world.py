"""Every short story of an apartment with a client that syncs in any way, as often as it likes.

The budget bounds what is posted and how often Ada moves in; the number of syncs, and what is lost
of each, is not bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Protocol

from billing_app.domain.errors import Rejection
from tests.model_checking.explorer import Explored, Move, explore
from tests.model_checking.sync_ledger import (
    LONG_AGO,
    Ledger,
    Server,
    Sizes,
    identity,
    small,
    written,
)
from tests.support.model_client import CURSOR, FRAME, NOTHING

Json = dict[str, Any]
Ask = Callable[[Json], list[Json]]
Post = Callable[[Ledger, str, int, int], Ledger]
WAYS = (CURSOR, FRAME, NOTHING)
ROUNDS = 40


class Client(Protocol):
    """A kind of client; what it holds is a value."""

    @property
    def nothing(self) -> Hashable:
        """What a new client holds."""

    def syncs(self, held: Any, by: str, ask: Ask) -> Iterator[tuple[str, Any]]:
        """Ask once; tell each way in which the answer may arrive, and what is held then."""

    def finish(self, held: Any, by: str, ask: Ask) -> Any:
        """Ask until there is no more; return what is held then."""

    def events(self, held: Any) -> frozenset[tuple[str, str, str]]:
        """Return the events that are held."""

    def covered(self, held: Any) -> tuple[str, str] | None:
        """Return the frame that is held."""


class World(NamedTuple):
    """The books, and what the client holds of them."""

    ledger: Ledger
    held: Any


@dataclass(frozen=True)
class Budget:
    """How much happens: `events` posted at the most, `moves` into the apartment."""

    events: int
    moves: int


class SyncChecker:
    """All moves, and the verdict on what a client holds after each sync."""

    def __init__(
        self,
        client: Client,
        budget: Budget,
        *,
        server: Server | None = None,
        post: Post = Ledger.post,
    ) -> None:
        self._client = client
        self._budget = budget
        self._server = server or Server()
        self._post = post
        self._verdict = cache(lambda world: self._not_exact(world) or self._not_whole(world))

    def explore(self, sizes: Sizes) -> Explored:
        """Visit every state."""
        with small(sizes):
            return explore(World(Ledger(), self._client.nothing), self.moves)

    def moves(self, world: World) -> Iterator[Move[World]]:
        """Tell all that can happen next."""
        for told, ledger in self._ledger(world.ledger):
            yield Move(told.split(":")[0], told, world._replace(ledger=ledger))
        if world.ledger.since is None:
            yield from self._turned_away(world)
            return
        for by in WAYS:
            yield from self._syncs(world, by)

    def _ledger(self, ledger: Ledger) -> Iterator[tuple[str, Ledger]]:
        left = self._budget.events - len(ledger.events)
        payments = {posted.payment for posted in ledger.events}
        for lines in range(1, min(left, 2) + 1):
            yield f"pay {lines}", self._post(ledger, "payment", len(payments) + 1, lines)
        for payment in payments:
            taken_back = [e for e in ledger.events if e.payment == payment]
            if all(e.event == "payment" for e in taken_back) and len(taken_back) <= left:
                after = self._post(ledger, "reversal", payment, len(taken_back))
                yield f"reverse: {payment}", after
        if ledger.since is not None and ledger.moves < self._budget.moves:
            yield "move out", ledger._replace(since=None, moves=ledger.moves + 1)
        if ledger.since is None:
            yield from self._moving_in(ledger)

    def _moving_in(self, ledger: Ledger) -> Iterator[tuple[str, Ledger]]:
        """From any instant on that lies differently to what was posted, or from a later now on."""
        for since in (LONG_AGO, *(posted.at for posted in ledger.events), ledger.end):
            yield f"move in: since {since}", ledger._replace(since=since)
        now = max(ledger.now, ledger.end) + 3
        yield "move in now", ledger._replace(since=now, now=now)

    def _turned_away(self, world: World) -> Iterator[Move[World]]:
        for by in WAYS:
            try:
                list(self._client.syncs(world.held, by, self._asking(world.ledger)))
            except Rejection as rejection:
                broken = None if rejection.code == "apartment_not_found" else rejection.code
                yield Move("turned away", f"sync by {by} is rejected", world, broken)
            else:
                yield Move("turned away", f"sync by {by}", world, "answered one who moved out")

    def _syncs(self, world: World, by: str) -> Iterator[Move[World]]:
        for told, held in self._client.syncs(world.held, by, self._asking(world.ledger)):
            then = World(world.ledger, held)
            broken = self._verdict(then)
            yield Move(f"sync by {by}", f"sync by {by}, {told}", then, broken)

    def _asking(self, ledger: Ledger) -> Ask:
        return lambda asked: self._server.sync(ledger, asked)

    def _not_exact(self, world: World) -> str | None:
        """What is held is what there is inside of the frame that is held."""
        covered = self._client.covered(world.held)
        if covered is None:
            return "nothing is covered after a sync"
        down, up = covered
        inside = {identity(e) for e in world.ledger.visible() if down <= written(e.at) < up}
        if self._client.events(world.held) == inside:
            return None
        return f"I10: in {covered} there is {inside}, held is {self._client.events(world.held)}"

    def _not_whole(self, world: World) -> str | None:
        """Whatever is held, syncing on ends with the whole history."""
        whole = {identity(e) for e in world.ledger.visible()}
        for by in WAYS:
            held = self._client.finish(world.held, by, self._asking(world.ledger))
            if self._client.events(held) != whole:
                return f"I10: the end by {by} is {self._client.events(held)}, there is {whole}"
        return None
