"""The world of a run: people, their clients, and the office, on threads of their own."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from tools.chaos.world import settling
from tools.chaos.world.api import Api
from tools.chaos.world.board import Board
from tools.chaos.world.canaries import Canaries
from tools.chaos.world.cast import Part, cast, movers
from tools.chaos.world.clerk import PROVIDERS, WORDY, BillsClerk, HousingClerk
from tools.chaos.world.correspondent import Correspondent, Person
from tools.chaos.world.mailbox import Mailbox
from tools.chaos.world.office import LONG_AGO, Connect, Office
from tools.chaos.world.recorder import Recorder
from tools.chaos.world.resident import Resident
from tools.chaos.world.thief import Thief

_FIRST_BILLS = 8
_MANY_BILLS = 180
# For what is under way when the clients are told to stop: a poll, a retry.
_STOP_SECONDS = 60.0


@dataclass(frozen=True)
class UserPool:
    """A Cognito client that may make users, and the pool to make them in."""

    cognito: Any
    pool_id: str

    def add(self, username: str, password: str) -> str:
        """Make a user with this password and return their sub."""
        names = {"UserPoolId": self.pool_id, "Username": username}
        user = self.cognito.admin_create_user(**names, TemporaryPassword=password)["User"]
        self.cognito.admin_set_user_password(**names, Password=password, Permanent=True)
        return str(next(a["Value"] for a in user["Attributes"] if a["Name"] == "sub"))


class World:
    """Call prepare, start, stop and settle, in this order; then close.

    `office` connects as `billing_operator` straight to the database. `dead_requests` tells the ids
    of requests that lie in a dead-letter queue: nobody waits for their answers.
    """

    def __init__(
        self,
        *,
        base_url: str,
        pool: UserPool,
        office: Connect,
        recorder: Recorder,
        canaries: Canaries,
        rng: random.Random,
        clients: int = 8,
        dead_requests: Callable[[], set[str]] = set,
    ) -> None:
        self._base_url = base_url
        self._pool = pool
        self._connect = office
        self._recorder = recorder
        self._canaries = canaries
        self._dead_requests = dead_requests
        self._seed = f"{rng.getrandbits(64):x}"
        self._parts = cast(clients)
        self._board = Board()
        self._stop, self._give_up = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._troubles: list[BaseException] = []
        self._homes: list[str] = []
        self._people: list[Person] = []
        self.residents: list[Resident] = []

    def prepare(self) -> None:
        """Make people with logins, apartments, providers and first bills; sign everybody in."""
        office = self._office()
        for provider_id, name in PROVIDERS.items():
            office.add_provider(provider_id, name)
        self._homes = [str(uuid4()) for _ in range(1 + max(max(p.homes) for p in self._parts))]
        for home in self._homes:
            office.add_apartment(home)
        self._people = [self._person(office) for _ in range(1 + self._parts[-1].person)]
        for user, home in self._residencies():
            office.grant(user, home, LONG_AGO)
        clerk = self._bills_clerk(office)
        for home in self._homes:
            clerk.issue(home, _FIRST_BILLS)
        # Whoever lives here gets answers in parts: the second home of the first client.
        clerk.issue(self._homes[self._parts[0].homes[-1]], _MANY_BILLS, provider=WORDY)
        office.close()
        self._make_residents()
        self._on_threads([resident.line.sign_in for resident in self.residents])
        self._join(_STOP_SECONDS)

    def start(self) -> None:
        """Let clients and clerks loose."""
        clerk = self._bills_clerk(self._office())
        self._on_threads(
            [
                *(partial(resident.run, self._stop) for resident in self.residents),
                partial(clerk.run, self._stop),
                partial(self._housing_clerk().run, self._stop),
            ]
        )

    def stop(self) -> None:
        """Have no new wishes; clients finish the step that they are at."""
        self._stop.set()
        for resident in self.residents:
            resident.line.halt.set()

    def settle(self, *, within_seconds: float) -> None:
        """Once faults have ended: wait for every answer, then have every client look once more.

        Waits `within_seconds` for the answers and half of that for the last looks. Raises what a
        thread raised: that is a defect of this package.
        """
        self._join(_STOP_SECONDS)
        self._with_halt(
            within_seconds,
            lambda one, halt: settling.drain(one, halt, self._dead_requests),
        )
        self._recorder.record("phase", name="drained", clients=self._looking())
        self._with_halt(within_seconds / 2, settling.look_once_more)

    def close(self) -> None:
        """Close the clients' connections."""
        for resident in self.residents:
            resident.line.api.close()

    def _looking(self) -> list[dict[str, Any]]:
        """Say whose last looks to expect."""
        return [
            {
                "client": resident.line.api.client,
                "user": resident.line.person.user,
                "apartments": list(resident.homes),
            }
            for resident in self.residents
        ]

    def _with_halt(self, seconds: float, work: Callable[[Resident, threading.Event], None]) -> None:
        """Let each client work on a thread of its own until done, or halted after the time."""
        halt = threading.Event()
        timer = threading.Timer(seconds, halt.set)
        timer.start()
        self._on_threads([partial(work, resident, halt) for resident in self.residents])
        try:
            self._join(seconds + _STOP_SECONDS)
        finally:
            timer.cancel()

    def _office(self) -> Office:
        return Office(self._connect, self._recorder, self._give_up)

    def _bills_clerk(self, office: Office) -> BillsClerk:
        rng = random.Random(f"{self._seed}/bills")
        return BillsClerk(office=office, board=self._board, rng=rng, apartments=self._homes)

    def _housing_clerk(self) -> HousingClerk:
        pairs = [
            (self._people[part.person].user, self._homes[home])
            for part in movers(self._parts)
            for home in part.homes
        ]
        return HousingClerk(
            office=self._office(),
            rng=random.Random(f"{self._seed}/housing"),
            canaries=self._canaries,
            movers=pairs,
        )

    def _person(self, office: Office) -> Person:
        username, password = f"user-{uuid4().hex[:12]}", self._canaries.password()
        person = Person(self._pool.add(username, password), username, password)
        office.add_resident(person.user, self._canaries.name())
        return person

    def _residencies(self) -> list[tuple[str, str]]:
        pairs = {
            (self._people[part.person].user, self._homes[home]): None
            for part in self._parts
            for home in part.homes
        }
        return list(pairs)

    def _make_residents(self) -> None:
        for part in self._parts:
            shared = self.residents[-1].line.mailbox if part.shares_queue else None
            mailbox = shared or Mailbox(str(uuid4()))
            resident = self._resident(part, mailbox)
            self.residents.append(resident)
            place = (resident.line.person.user, resident.homes[0], mailbox.queue_name)
            if part.role != "thief":
                self._board.add(self._board.queues, place)

    def _resident(self, part: Part, mailbox: Mailbox) -> Resident:
        homes = [self._homes[home] for home in part.homes]
        seed = f"{self._seed}/{part.client}"
        line = self._line(part, mailbox, home=homes[0], seed=seed)
        if part.role != "thief":
            return Resident(
                line, board=self._board, seed=seed, homes=homes, late=part.role == "late"
            )
        thief = Thief(line, board=self._board, seed=seed, homes=homes)
        thief.victims = tuple(one for one in self._people if one != line.person)
        return thief

    def _line(self, part: Part, mailbox: Mailbox, *, home: str, seed: str) -> Correspondent:
        return Correspondent(
            api=Api(
                base_url=self._base_url,
                client=part.client,
                recorder=self._recorder,
                canaries=self._canaries,
            ),
            person=self._people[part.person],
            mailbox=mailbox,
            home=home,
            rng=random.Random(f"{seed}/chances"),
            halt=threading.Event(),
        )

    def _on_threads(self, works: list[Callable[[], None]]) -> None:
        self._threads = [
            threading.Thread(target=self._guarded, args=[work], daemon=True) for work in works
        ]
        for thread in self._threads:
            thread.start()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as trouble:
            self._troubles.append(trouble)

    def _join(self, seconds: float) -> None:
        """Wait for all threads; the office gives up what it can't get an answer to in time."""
        deadline = self._recorder.now() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - self._recorder.now()))
        if any(thread.is_alive() for thread in self._threads):
            self._give_up.set()
            for thread in self._threads:
                thread.join(_STOP_SECONDS)
        if self._troubles:
            raise self._troubles[0]
