"""A resident's client: looks, pays in every way that is allowed, syncs, comes and goes."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from tools.chaos.workload.api_client import ApiClient, LoggedOut, Parts
from tools.chaos.workload.client_model import ClientModel, Debt, SyncedHistory
from tools.chaos.workload.http import Json, Request
from tools.chaos.workload.personas import SharedState

_ANSWER_SECONDS = 4.0
_FINAL_SECONDS = 20.0
_PAGES = 20
# Longer than a usual answer takes, so that a payment is not sent over and over.
_ASK_AGAIN_SECONDS = 10.0

Action = Callable[[str], None]


class Resident:
    """Acts for one user in some apartments. A late one polls only now and then.

    Step n of a client with this seed always chooses alike, whatever came before.
    """

    def __init__(
        self,
        client: ApiClient,
        shared: SharedState,
        seed: str,
        apartments: Sequence[str],
        *,
        late: bool = False,
    ) -> None:
        self.client = client
        self.apartments = apartments
        self.model = ClientModel()
        self._shared = shared
        self._seed = seed
        self._late = late
        self._rng = random.Random(seed)
        self._copies = {apartment: SyncedHistory() for apartment in apartments}
        self._steps = 0

    def run(self, stop: threading.Event) -> None:
        """Act until told to stop."""
        try:
            while not stop.is_set():
                self.step()
                stop.wait(self._rng.uniform(0.02, 0.4))
        except LoggedOut:
            # Halted during a login; the end of the run logs in again.
            return

    def step(self) -> None:
        """Do one thing, and take what has come by then."""
        self._steps += 1
        self._rng = random.Random(f"{self._seed}/{self._steps}")
        actions = self.actions()
        action = self._rng.choices(list(actions), weights=list(actions.values()))[0]
        before = set(self.client.outstanding)
        action(self._rng.choice(self.apartments))
        if not self._late:
            self.client.wait(set(self.client.outstanding) - before, seconds=_ANSWER_SECONDS)
        elif self._rng.random() < 0.3:
            self.client.fetch()
        self._absorb()

    def actions(self) -> Mapping[Action, int]:
        """Return what this client may do, with weights."""
        return {
            self._look: 6,
            self._pay_some: 6,
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

    def _absorb(self) -> None:
        """Learn from the answers that have come."""
        for request, parts in self.client.answered():
            status = parts[0]["status"]
            if request.op == "payments":
                self.model.see_outcome(request, status)
                if status == "done":
                    self._shared.add(self._shared.payments, parts[0]["data"]["payment_id"])
            elif request.op == "utils" and status == "done":
                self.model.see_debts(str(request.apartment), parts)

    def _look(self, apartment: str, **notes: Any) -> None:
        self.client.send(self.client.request("utils", apartment, {}, late=self._late, **notes))

    # Payments -----------------------------------------------------------------------------------

    def _order(self, apartment: str, bills: Sequence[Debt], total: int | None) -> Request | None:
        """Return a payment; without bills, look for some and return None."""
        if not bills:
            self._look(apartment)
            return None
        body: Json = {"bills_id": [bill.bill_id for bill in bills]}
        if total is not None:
            body["expected_total_minor"] = total
        key = str(uuid4())
        return self.client.request("payments", apartment, body, key=key, late=self._late)

    def _chosen(self, apartment: str) -> Request | None:
        bills = self.model.choose(apartment, self._rng)
        total = sum(bill.amount_minor for bill in bills) if self._rng.random() < 0.7 else None
        return self._order(apartment, bills, total)

    def _pay(self, request: Request | None) -> None:
        """Send a payment; until its outcome is known it is pending."""
        if request is None:
            return
        if request.key is not None:
            self.model.pending[request.key] = request
        request_id = self.client.send(request)
        if request.key is None and request_id is not None:
            # Without a key of the client the request's id is the key.
            keyed = replace(request, key=request_id)
            self.model.pending[request_id] = self.client.outstanding[request_id] = keyed

    def _earlier(self) -> Request | None:
        return self._rng.choice(self.model.paid[-10:]) if self.model.paid else None

    def _pay_some(self, apartment: str) -> None:
        request = self._chosen(apartment)
        without_key = request is not None and self._rng.random() < 0.1
        self._pay(replace(request, key=None) if request and without_key else request)

    def _pay_all(self, apartment: str) -> None:
        owed = self.model.owed.get(apartment, [])
        bills = [one for one in owed if one.currency == owed[0].currency]
        self._pay(self._order(apartment, bills, sum(bill.amount_minor for bill in bills)))

    def _pay_twice_with_one_key(self, apartment: str) -> None:
        request = self._chosen(apartment)
        self._pay(request)
        self._pay(request)

    def _pay_twice_with_two_keys(self, apartment: str) -> None:
        request = self._chosen(apartment)
        self._pay(request)
        self._pay(request and replace(request, key=str(uuid4())))

    def _pay_a_wrong_total(self, apartment: str) -> None:
        bills = self.model.choose(apartment, self._rng)
        self._pay(self._order(apartment, bills, sum(bill.amount_minor for bill in bills) + 1))

    def _pay_what_is_paid(self, _apartment: str) -> None:
        old = self._earlier()
        self._pay(old and replace(old, key=str(uuid4())))

    def _repeat_a_payment(self, _apartment: str) -> None:
        self._pay(self._earlier())

    def _reuse_a_key(self, apartment: str) -> None:
        request, old = self._chosen(apartment), self._earlier()
        if request is not None and old is not None:
            # Not pending: the key's outcome is known, and this request has none of its own.
            self.client.send(replace(request, key=old.key))

    def _ask_for_an_outcome(self, _apartment: str) -> None:
        if self.model.pending:
            key = self._rng.choice(sorted(self.model.pending))
            self.client.send(self.model.pending[key])

    def _come_back(self, apartment: str) -> None:
        self.client.log_out(keep_refresh_token=self._rng.random() < 0.5)
        self._look(apartment)

    # The history --------------------------------------------------------------------------------

    def _sync_somehow(self, apartment: str) -> None:
        self._sync(apartment, self._rng.choice(["cursor", "cursor", "frame", "nothing"]))

    def _sync(self, apartment: str, how: str, *, final: bool = False) -> bool:
        """Bring the copy up to date; tell whether that was finished. Recorded when it was."""
        for _ in range(_PAGES):
            asked = self.client.http.recorder.now()
            parts = self._history(apartment, how, _FINAL_SECONDS if final else _ANSWER_SECONDS)
            if not parts or not self._take(apartment, parts):
                return False
            copy = self._copies[apartment]
            if copy.frame is not None and not copy.more:
                self._record_sync(apartment, copy, asked, final=final)
                return True
            how = "cursor" if how == "nothing" else how
        return False

    def _history(self, apartment: str, how: str, seconds: float) -> Parts | None:
        body = self._copies[apartment].question(how)
        request = self.client.request("histories", apartment, body, how=how, late=self._late)
        request_id = self.client.send(request)
        if request_id is None:
            return None
        self.client.wait([request_id], seconds=seconds)
        return self.client.replies.answer(request_id)

    def _take(self, apartment: str, parts: Parts) -> bool:
        """Take an answer; tell whether the sync can go on."""
        if parts[0]["code"] in ("history_frame_unknown", "invalid_cursor"):
            self._copies[apartment] = SyncedHistory()
            return True
        if parts[0]["status"] != "done":
            return False
        self._copies[apartment].take(parts)
        return True

    def _record_sync(
        self, apartment: str, copy: SyncedHistory, asked: float, *, final: bool
    ) -> None:
        client = self.client
        client.http.recorder.record(
            "sync",
            client=client.http.client,
            user=client.user.sub,
            apartment=apartment,
            frame=copy.frame,
            events=copy.identities(),
            asked=round(asked, 6),
            final=final,
        )

    # The end of a run ---------------------------------------------------------------------------

    def drain(self, halt: threading.Event, dead_requests: Callable[[], set[str]]) -> None:
        """Wait until each accepted request is answered or dead, and no payment is pending."""
        self.client.halt = halt
        asked: dict[str, float] = {}
        try:
            while not halt.is_set():
                if self.client.outstanding:
                    for request_id in dead_requests() & set(self.client.outstanding):
                        del self.client.outstanding[request_id]
                self._ask_for_outcomes(asked)
                if not self.client.outstanding and not self.model.pending:
                    return
                self.client.fetch()
                self._absorb()
        except LoggedOut:
            return

    def _ask_for_outcomes(self, asked: dict[str, float]) -> None:
        """Send pending payments again, each after a while: the key makes it safe."""
        now = self.client.http.recorder.now()
        for key, request in list(self.model.pending.items()):
            waiting = any(one.key == key for one in self.client.outstanding.values())
            if not waiting and now - asked.get(key, -_ASK_AGAIN_SECONDS) >= _ASK_AGAIN_SECONDS:
                asked[key] = now
                self.client.send(request)

    def final_reads(self, halt: threading.Event) -> None:
        """Read debts and sync each apartment that is still theirs, until both are answered."""
        self.client.halt = halt
        try:
            for apartment in self.apartments:
                if self._sees_debts(apartment, halt):
                    while not halt.is_set() and not self._sync(apartment, "cursor", final=True):
                        pass
        except LoggedOut:
            return

    def _sees_debts(self, apartment: str, halt: threading.Event) -> bool:
        """Tell whether debts were shown; False where the apartment is not theirs any more."""
        while not halt.is_set():
            self._look(apartment, final=True)
            self.client.wait(set(self.client.outstanding), seconds=_FINAL_SECONDS)
            statuses = [parts[0]["status"] for _, parts in self.client.answered()]
            if "done" in statuses or "rejected" in statuses:
                return "done" in statuses
        return False
