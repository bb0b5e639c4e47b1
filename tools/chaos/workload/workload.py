"""The workload of a run: clients and operators, each on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from tools.chaos.workload.attacker import Attacker
from tools.chaos.workload.client import RecordedClient
from tools.chaos.workload.operators import (
    LONG_AGO,
    LONG_NAME,
    PROVIDERS,
    BillingWorker,
    Connect,
    Operator,
    ResidencyWorker,
)
from tools.chaos.workload.recorder import Canaries, Recorder
from tools.chaos.workload.resident import Resident
from tools.chaos.workload.shared import SharedState, User

_FIRST_BILLS = 8
_MANY_BILLS = 180
# For what is under way when the clients are told to stop: a poll, a login.
_STOP_SECONDS = 60.0


@dataclass(frozen=True)
class Persona:
    """A client's role, its user (an index), and in which apartments (indexes)."""

    role: str
    user: int
    apartments: tuple[int, ...]


# A device is a second client of the user before it and also polls for that one; a neighbour shares
# the first apartment of the user before it.
PERSONAS = (
    Persona("owner", 0, (0, 1)),
    Persona("device", 0, (0, 1)),
    Persona("neighbour", 1, (0,)),
    Persona("late", 2, (2,)),
    Persona("mover", 3, (3,)),
    Persona("attacker", 4, (4,)),
    Persona("owner", 5, (5, 6)),
    Persona("late", 6, (7,)),
)
_APARTMENTS, _USERS = 8, 7


@dataclass(kw_only=True)
class Workload:
    """Call prepare, start, stop and drain, in this order; then close.

    `add_user` makes a user of the pool and returns their sub. `connect` connects as
    `billing_operator` straight to the database. `dead_requests` returns the ids of requests that
    lie in a dead-letter queue: nobody waits for their answers.
    """

    base_url: str
    add_user: Callable[[str, str], UUID]
    connect: Connect
    recorder: Recorder
    canaries: Canaries
    seed: str
    dead_requests: Callable[[], set[str]]
    residents: list[Resident] = field(default_factory=list)
    _shared: SharedState = field(default_factory=SharedState)
    _stop: threading.Event = field(default_factory=threading.Event)
    _give_up: threading.Event = field(default_factory=threading.Event)
    _running: list[Future[Any]] = field(default_factory=list)
    _apartments: list[str] = field(default_factory=list)
    _users: list[User] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=len(PERSONAS) + 2)

    def prepare(self) -> None:
        """Make users, apartments, providers and first bills; log everybody in."""
        operator = self._operator()
        for provider_id, name in PROVIDERS.items():
            operator.call("add_provider", "add_provider", provider_id=provider_id, name=name)
        self._apartments = [str(uuid4()) for _ in range(_APARTMENTS)]
        for apartment in self._apartments:
            operator.call("add_apartment", "add_apartment", "1 Main Street", apartment=apartment)
        self._users = [self._user(operator) for _ in range(_USERS)]
        for user, apartment in self._residencies(PERSONAS):
            place = {"user": user, "apartment": apartment}
            operator.call("grant", "grant_residency", **place, since=LONG_AGO)
        billing = self._billing_worker(operator)
        for apartment in self._apartments:
            billing.issue(apartment, _FIRST_BILLS)
        # The second apartment of the first client gets answers in parts.
        billing.issue(self._apartments[1], _MANY_BILLS, provider=LONG_NAME)
        operator.close()
        self.residents = [self._resident(f"c{n}", one) for n, one in enumerate(PERSONAS)]
        for resident, persona in zip(self.residents, PERSONAS, strict=True):
            if persona.role == "device":
                resident.client.transport.share(self.residents[0].client.transport)
            if isinstance(resident, Attacker):
                resident.victims = [one for one in self.residents if one is not resident]
        self._run(resident.client.log_in for resident in self.residents)
        self._join(_STOP_SECONDS)

    def start(self) -> None:
        """Start clients and operators."""
        movers = self._residencies(one for one in PERSONAS if one.role == "mover")
        billing = self._billing_worker(self._operator())
        seed = f"{self.seed}/residencies"
        residencies = ResidencyWorker(self._operator(), seed, self.canaries, movers)
        runs = (*(one.run for one in self.residents), billing.run, residencies.run)
        self._run(partial(run, self._stop) for run in runs)

    def stop(self) -> None:
        """Start nothing new; clients finish their current step."""
        self._stop.set()
        for resident in self.residents:
            resident.client.halt.set()

    def drain(self, *, within_seconds: float) -> None:
        """Once faults have ended: wait for every answer, then have every client read once more.

        Waits `within_seconds` for the answers and half of that for the last reads. Raises what a
        thread raised: that is a defect of this package.
        """
        self._join(_STOP_SECONDS)
        self._with_halt(within_seconds, [resident.drain for resident in self.residents])
        expected = [
            {**resident.client.transport.who, "apartments": list(resident.apartments)}
            for resident in self.residents
        ]
        self.recorder.record("phase", name="drained", clients=expected)
        self._with_halt(within_seconds / 2, [resident.final_reads for resident in self.residents])

    def close(self) -> None:
        """End what still runs, and close the clients' connections."""
        self.stop()
        self._give_up.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        for resident in self.residents:
            resident.client.http.close()

    def _operator(self) -> Operator:
        return Operator(self.connect, self.recorder, self._give_up)

    def _billing_worker(self, operator: Operator) -> BillingWorker:
        return BillingWorker(operator, self._shared, f"{self.seed}/bills", self._apartments)

    def _user(self, operator: Operator) -> User:
        username, password = f"user-{uuid4().hex[:12]}", self.canaries.password()
        user = User(str(self.add_user(username, password)), username, password)
        self.canaries.add("username", username, user.sub)
        name = self.canaries.name(user.sub)
        operator.call("add_resident", "add_resident", name, user=user.sub)
        return user

    def _residencies(self, personas: Iterable[Persona]) -> list[tuple[str, str]]:
        """Return (user, apartment) of some personas, each pair once."""
        pairs = {
            (self._users[one.user].sub, self._apartments[number]): None
            for one in personas
            for number in one.apartments
        }
        return list(pairs)

    def _resident(self, name: str, persona: Persona) -> Resident:
        seed = f"{self.seed}/{name}"
        client = RecordedClient(
            name,
            self._users[persona.user],
            base_url=self.base_url,
            recorder=self.recorder,
            canaries=self.canaries,
            shared=self._shared,
            seed=f"{seed}/chances",
            late=persona.role == "late",
        )
        apartments = [self._apartments[number] for number in persona.apartments]
        kind = Attacker if persona.role == "attacker" else Resident
        return kind(client, seed, apartments)

    def _with_halt(self, seconds: float, works: Iterable[Callable[..., None]]) -> None:
        """Run each client's work until done, or halted after the time."""
        halt = threading.Event()
        self._run(partial(work, halt, self.dead_requests) for work in works)
        wait(self._running, seconds)
        halt.set()
        self._join(_STOP_SECONDS)

    def _run(self, works: Iterable[Callable[[], Any]]) -> None:
        self._running = [self._pool.submit(work) for work in works]

    def _join(self, seconds: float) -> None:
        """Wait for all threads; after the time operators give up what they can't get answered."""
        if wait(self._running, seconds).not_done:
            self._give_up.set()
            wait(self._running, _STOP_SECONDS)
        for one in self._running:
            if one.done():
                one.result()
