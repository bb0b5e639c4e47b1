"""The workload of a run: clients and operators, each on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from uuid import uuid4

from tools.chaos.workload.api_client import ApiClient, ReplyQueue, User
from tools.chaos.workload.attacker import Attacker
from tools.chaos.workload.http import RecordedHttp
from tools.chaos.workload.operators import (
    LONG_AGO,
    LONG_NAME,
    PROVIDERS,
    BillingWorker,
    Connect,
    Operator,
    ResidencyWorker,
)
from tools.chaos.workload.personas import Persona, SharedState, personas
from tools.chaos.workload.recorder import Canaries, Recorder
from tools.chaos.workload.resident import Resident

_FIRST_BILLS = 8
_MANY_BILLS = 180
# For what is under way when the clients are told to stop: a poll, a retry.
_STOP_SECONDS = 60.0


class Workload:
    """Call prepare, start, stop and drain, in this order; then close.

    `add_user` makes a user of the pool and returns their sub. `connect` connects as
    `billing_operator` straight to the database. `dead_requests` returns the ids of requests that
    lie in a dead-letter queue: nobody waits for their answers.
    """

    def __init__(
        self,
        *,
        base_url: str,
        add_user: Callable[[str, str], str],
        connect: Connect,
        recorder: Recorder,
        canaries: Canaries,
        seed: str,
        clients: int,
        dead_requests: Callable[[], set[str]],
    ) -> None:
        self._base_url = base_url
        self._add_user = add_user
        self._connect = connect
        self._recorder = recorder
        self._canaries = canaries
        self._dead_requests = dead_requests
        self._seed = seed
        self._personas = personas(clients)
        self._shared = SharedState()
        self._stop, self._give_up = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []
        self._apartments: list[str] = []
        self._users: list[User] = []
        self.residents: list[Resident] = []

    def prepare(self) -> None:
        """Make users, apartments, providers and first bills; log everybody in."""
        operator = self._operator()
        for provider_id, name in PROVIDERS.items():
            operator.call("add_provider", "add_provider", provider_id=provider_id, name=name)
        count = 1 + max(max(one.apartments) for one in self._personas)
        self._apartments = [str(uuid4()) for _ in range(count)]
        for apartment in self._apartments:
            operator.call("add_apartment", "add_apartment", "1 Main Street", apartment=apartment)
        self._users = [self._user(operator) for _ in range(1 + self._personas[-1].user)]
        for user, apartment in self._residencies(self._personas):
            operator.grant(user, apartment, LONG_AGO)
        billing = self._billing_worker(operator)
        for apartment in self._apartments:
            billing.issue(apartment, _FIRST_BILLS)
        # The second apartment of the first client gets answers in parts.
        large = self._apartments[self._personas[0].apartments[-1]]
        billing.issue(large, _MANY_BILLS, provider=LONG_NAME)
        operator.close()
        for persona in self._personas:
            self.residents.append(self._resident(persona))
        self._run([resident.client.log_in for resident in self.residents])
        self._join(_STOP_SECONDS)

    def start(self) -> None:
        """Start clients and operators."""
        movers = self._residencies(one for one in self._personas if one.role == "mover")
        billing = self._billing_worker(self._operator())
        seed = f"{self._seed}/residencies"
        residencies = ResidencyWorker(self._operator(), seed, self._canaries, movers)
        runs = [one.run for one in self.residents]
        self._run([partial(run, self._stop) for run in (*runs, billing.run, residencies.run)])

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
        self._with_halt(within_seconds, lambda one, halt: one.drain(halt, self._dead_requests))
        expected = [
            {
                "client": one.client.http.client,
                "user": one.client.user.sub,
                "apartments": list(one.apartments),
            }
            for one in self.residents
        ]
        self._recorder.record("phase", name="drained", clients=expected)
        self._with_halt(within_seconds / 2, lambda one, halt: one.final_reads(halt))

    def close(self) -> None:
        """Close the clients' connections."""
        for resident in self.residents:
            resident.client.http.close()

    def _operator(self) -> Operator:
        return Operator(self._connect, self._recorder, self._give_up)

    def _billing_worker(self, operator: Operator) -> BillingWorker:
        return BillingWorker(operator, self._shared, f"{self._seed}/bills", self._apartments)

    def _user(self, operator: Operator) -> User:
        username, password = f"user-{uuid4().hex[:12]}", self._canaries.password()
        user = User(self._add_user(username, password), username, password)
        operator.add_resident(user.sub, self._canaries.name())
        return user

    def _residencies(self, personas: Iterable[Persona]) -> list[tuple[str, str]]:
        """Return (user, apartment) of some personas, each pair once."""
        pairs = {
            (self._users[one.user].sub, self._apartments[number]): None
            for one in personas
            for number in one.apartments
        }
        return list(pairs)

    def _resident(self, persona: Persona) -> Resident:
        user, seed = self._users[persona.user], f"{self._seed}/{persona.client}"
        apartments = [self._apartments[number] for number in persona.apartments]
        is_device = persona.role == "device"
        replies = self.residents[-1].client.replies if is_device else ReplyQueue(str(uuid4()))
        http = RecordedHttp(
            self._base_url, persona.client, recorder=self._recorder, canaries=self._canaries
        )
        client = ApiClient(http, user, replies, apartments[0], f"{seed}/chances")
        if persona.role == "attacker":
            attacker = Attacker(client, self._shared, seed, apartments)
            attacker.victims = tuple(one for one in self._users if one != user)
            return attacker
        self._shared.add(self._shared.queues, (user.sub, apartments[0], replies.name))
        return Resident(client, self._shared, seed, apartments, late=persona.role == "late")

    def _with_halt(self, seconds: float, work: Callable[[Resident, threading.Event], None]) -> None:
        """Run each client's work on its thread until done, or halted after the time."""
        halt = threading.Event()
        timer = threading.Timer(seconds, halt.set)
        timer.start()
        self._run([partial(work, resident, halt) for resident in self.residents])
        try:
            self._join(seconds + _STOP_SECONDS)
        finally:
            timer.cancel()

    def _run(self, works: list[Callable[[], Any]]) -> None:
        self._threads = [
            threading.Thread(target=self._guarded, args=[work], daemon=True) for work in works
        ]
        for thread in self._threads:
            thread.start()

    def _guarded(self, work: Callable[[], Any]) -> None:
        try:
            work()
        except BaseException as error:
            self._errors.append(error)

    def _join(self, seconds: float) -> None:
        """Wait for all threads; after the time operators give up what they can't get answered."""
        deadline = self._recorder.now() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - self._recorder.now()))
        if any(thread.is_alive() for thread in self._threads):
            self._give_up.set()
            for thread in self._threads:
                thread.join(_STOP_SECONDS)
        if self._errors:
            raise self._errors[0]
