"""A resident at the shipped client: looks, pays in every way that is allowed, syncs, comes back."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from uuid import uuid4

from billing_client import (
    BillingError,
    HistoryState,
    NotLoggedIn,
    PendingRequest,
    RequestRejected,
)

from tools.chaos.workload.client import PATIENT_SECONDS, RecordedClient
from tools.chaos.workload.http import Json

Action = Callable[[str], None]


class Resident:
    """Acts for one user in some apartments.

    Step n of a client with this seed always chooses alike, whatever came before.
    """

    def __init__(self, client: RecordedClient, seed: str, apartments: Sequence[str]) -> None:
        self.client = client
        self.billing = client.billing
        self.model = client.model
        self.apartments = apartments
        self._seed = seed
        self._rng = random.Random(seed)
        self._copies = {apartment: HistoryState(apartment) for apartment in apartments}
        self._steps = 0

    def run(self, stop: threading.Event) -> None:
        """Act until told to stop."""
        while not stop.is_set():
            self.step()
            stop.wait(self._rng.uniform(0.02, 0.4))

    def step(self) -> None:
        """Do one thing; now and then, look for what came after one had given up."""
        self._steps += 1
        self._rng = random.Random(f"{self._seed}/{self._steps}")
        actions = self.actions()
        action = self._rng.choices(list(actions), weights=list(actions.values()))[0]
        apartment = self._rng.choice(self.apartments)
        self.billing.timeout_seconds = self.client.usual_seconds
        self.client.attempt(lambda: action(apartment))
        queues = self.client.queues()
        if queues and self._rng.random() < 0.3:
            self.client.poll(*self._rng.choice(queues))

    def actions(self) -> Mapping[Action, int]:
        """Return what this client may do, with weights."""
        return {
            self._look: 6,
            self._pay_some: 6,
            self._pay_without_a_key: 1,
            self._pay_twice_with_one_key: 2,
            self._pay_twice_with_two_keys: 2,
            self._pay_all: 1,
            self._pay_a_wrong_total: 1,
            self._pay_what_is_paid: 1,
            self._repeat_a_payment: 2,
            self._reuse_a_key: 1,
            self._ask_for_an_outcome: 3,
            self._sync_somehow: 4,
            self._come_back: 1,
        }

    def _at_once(self, *calls: Callable[[], object]) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(self.client.attempt, calls))

    def _look(self, apartment: str) -> None:
        self.billing.debts(apartment)

    def _come_back(self, apartment: str) -> None:
        if self._rng.random() < 0.5:
            self.billing.refresh()
        else:
            self.billing.logout()
        self.billing.debts(apartment)

    # Payments -------------------------------------------------------------------------------------

    def _payment(
        self, apartment: str, bills: Sequence[Json], *, more: int = 0, key: str = ""
    ) -> Callable[[], object]:
        """Return the call that pays bills and expects so much more; without any, looks for some."""
        if not bills:
            return partial(self.billing.debts, apartment)
        total = sum(bill["amount_minor"] for bill in bills) + more
        return partial(
            self.billing.pay,
            apartment,
            [bill["bill_id"] for bill in bills],
            expected_total_minor=total if more or self._rng.random() < 0.7 else None,
            idempotency_key=key or str(uuid4()),
        )

    def _pay_again(self, paid: Json | None, *, key: str = "") -> None:
        """Pay what was paid before, under its key or another one."""
        if paid is not None:
            self.billing.pay(
                paid["apartment"],
                paid["bills"],
                expected_total_minor=paid["expected"],
                idempotency_key=key or paid["key"],
            )

    def _earlier(self) -> Json | None:
        # The client itself rejects another payment with the key of one that is pending.
        pending = {one.idempotency_key for one in self.billing.pending_payments.all()}
        paid = [one for one in self.model.paid[-10:] if one["key"] and one["key"] not in pending]
        return self._rng.choice(paid) if paid else None

    def _pay_some(self, apartment: str) -> None:
        self._payment(apartment, self.model.choose(apartment, self._rng))()

    def _pay_all(self, apartment: str) -> None:
        owed = list(self.model.owed.get(apartment, {}).values())
        bills = [one for one in owed if one["currency"] == owed[0]["currency"]]
        self._payment(apartment, bills)()

    def _pay_without_a_key(self, apartment: str) -> None:
        """Pay with the request's id as the key, also for asking again."""
        bills = [bill["bill_id"] for bill in self.model.choose(apartment, self._rng)]
        path = f"/apartments/{apartment}/payments"
        if bills and (accepted := self.client.post(path, bills_id=bills, queue_name=str(uuid4()))):
            key, body = accepted["request_id"], {"bills_id": bills}
            asked = {"idempotency_key": key, "body": body, "asked_at": int(time.time())}
            pending = PendingRequest("payments", path, **asked)
            self.billing.pending_payments.keep(pending)

    def _pay_twice_with_one_key(self, apartment: str) -> None:
        pay = self._payment(apartment, self.model.choose(apartment, self._rng))
        self._at_once(pay, pay)

    def _pay_twice_with_two_keys(self, apartment: str) -> None:
        bills = self.model.choose(apartment, self._rng)
        self._at_once(self._payment(apartment, bills), self._payment(apartment, bills))

    def _pay_a_wrong_total(self, apartment: str) -> None:
        self._payment(apartment, self.model.choose(apartment, self._rng), more=1)()

    def _pay_what_is_paid(self, _apartment: str) -> None:
        self._pay_again(self._earlier(), key=str(uuid4()))

    def _repeat_a_payment(self, _apartment: str) -> None:
        self._pay_again(self._earlier())

    def _reuse_a_key(self, apartment: str) -> None:
        if old := self._earlier():
            self._payment(apartment, self.model.choose(apartment, self._rng), key=old["key"])()

    def _ask_for_an_outcome(self, _apartment: str) -> None:
        if pending := self.billing.pending_payments.all():
            self.billing.resume_payment(self._rng.choice(pending))

    # The history ----------------------------------------------------------------------------------

    def _sync_somehow(self, apartment: str) -> None:
        copy = self._copies[apartment]
        choices = [copy, copy, replace(copy, cursor=None), HistoryState(apartment)]
        self._sync(apartment, self._rng.choice(choices))

    def _sync(self, apartment: str, held: HistoryState, *, final: bool = False) -> None:
        """Bring a copy up to date; recorded when that was finished."""
        asked = self.client.recorder.now()
        for copy in self.billing.history_steps(held):
            self._copies[apartment] = copy
        copy = self._copies[apartment]
        if copy.covered is not None:
            self.client.recorder.record(
                "sync",
                client=self.client.transport.who["client"],
                user=self.client.user.sub,
                apartment=apartment,
                frame=asdict(copy.covered),
                events=[event.identity for event in copy.events],
                asked=round(asked, 6),
                final=final,
            )

    # The end of a run -----------------------------------------------------------------------------

    def drain(self, halt: threading.Event, dead_requests: Callable[[], set[str]]) -> None:
        """Wait until each accepted request is answered or dead, and no payment is pending."""
        self.client.halt = halt
        self.billing.timeout_seconds = PATIENT_SECONDS
        while not halt.is_set():
            for request_id in dead_requests() if self.client.transport.unanswered else ():
                self.client.transport.unanswered.pop(request_id, None)
            for pending in self.billing.pending_payments.all():
                self.client.attempt(partial(self.billing.resume_payment, pending))
            # A login that came during faults may have been dropped.
            queues = [(path, user) for path, user in self.client.queues() if path[:6] != "/auth/"]
            if not queues and not self.billing.pending_payments.all():
                return
            for path, user in queues:
                self.client.poll(path, user, wait_seconds=1)

    def final_reads(self, halt: threading.Event, dead_requests: Callable[[], set[str]]) -> None:
        """Read debts and sync each apartment that is still theirs, until both are answered."""
        self.client.halt = halt
        self.billing.timeout_seconds = PATIENT_SECONDS
        for apartment in self.apartments:
            with suppress(RequestRejected):
                self._until_done(self._look, apartment)
                self._until_done(self._sync_finally, apartment)
        self.drain(halt, dead_requests)

    def _sync_finally(self, apartment: str) -> None:
        self._sync(apartment, self._copies[apartment], final=True)

    def _until_done(self, action: Action, apartment: str) -> None:
        """Act until it is done; raises RequestRejected, as where one has moved out."""
        while not self.client.halt.is_set():
            try:
                action(apartment)
                return
            except RequestRejected:
                raise
            except NotLoggedIn:
                self.client.log_in()
            except BillingError:
                self.client.halt.wait(0.3)
