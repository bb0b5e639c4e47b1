"""A resident's client: looks, pays in every way that is allowed, syncs, comes and goes."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from tools.chaos.world.api import Ask
from tools.chaos.world.board import Board
from tools.chaos.world.correspondent import Correspondent, Parts, SignedOut
from tools.chaos.world.history_copy import HistoryCopy
from tools.chaos.world.wallet import Owed, Wallet

Json = dict[str, Any]

PATIENCE_SECONDS = 4.0
FINAL_PATIENCE_SECONDS = 20.0
_PAGES = 20


class Resident:
    """Acts for one person in some apartments. A late one polls only now and then.

    Step n of a client with this seed always chooses alike, whatever came before.
    """

    def __init__(
        self,
        line: Correspondent,
        *,
        board: Board,
        seed: str,
        homes: Sequence[str],
        late: bool = False,
    ) -> None:
        self.line = line
        self.homes = homes
        self.wallet = Wallet()
        self._board = board
        self._seed = seed
        self._late = late
        self._rng = random.Random(seed)
        self._copies = {home: HistoryCopy() for home in homes}
        self._steps = 0

    def run(self, stop: threading.Event) -> None:
        """Act until told to stop."""
        try:
            while not stop.is_set():
                self.step()
                stop.wait(self._rng.uniform(0.02, 0.4))
        except SignedOut:
            # Halted in the middle of signing in; settling signs in again.
            return

    def step(self) -> None:
        """Do one thing, and take what has come by then."""
        self._steps += 1
        self._rng = random.Random(f"{self._seed}/{self._steps}")
        actions = self.actions()
        action = self._rng.choices(list(actions), weights=list(actions.values()))[0]
        before = set(self.line.outstanding)
        action(self._rng.choice(self.homes))
        self._gather(set(self.line.outstanding) - before)

    def actions(self) -> Mapping[Callable[[str], None], int]:
        """Return what this client may do, with weights."""
        return {
            self.look: 6,
            self._pay: 6,
            self._pay_twice_with_one_key: 2,
            self._pay_twice_with_two_keys: 2,
            self._pay_all: 1,
            self._pay_a_wrong_total: 1,
            self._pay_what_is_paid: 1,
            self._repeat_a_payment: 2,
            self._reuse_a_key: 1,
            self._ask_for_an_outcome: 3,
            self._sync: 4,
            self._come_back: 1,
        }

    def _gather(self, sent: set[str]) -> None:
        if not self._late:
            self.line.wait(sent, seconds=PATIENCE_SECONDS)
        elif self._rng.random() < 0.3:
            self.line.fetch()
        self.absorb()

    def absorb(self) -> None:
        """Learn from the answers that have come."""
        for _, ask, parts in self.line.answered():
            if ask.op == "payments":
                self._absorb_payment(ask, parts[0])
            elif ask.op == "utils" and parts[0]["status"] == "done":
                self.wallet.see_debts(str(ask.apartment), [part["data"] for part in parts])

    def _absorb_payment(self, ask: Ask, reply: Json) -> None:
        self.wallet.see_outcome(ask, reply)
        if reply["status"] == "done":
            self._board.add(self._board.payments, reply["data"]["payment_id"])

    def look(self, apartment: str, **notes: Any) -> None:
        """Ask for debts."""
        self.line.send(self.line.ask("utils", apartment, {}, late=self._late, **notes))

    def _order(self, apartment: str, bills: Sequence[Owed], *, total: int | None) -> Ask | None:
        if not bills:
            self.look(apartment)
            return None
        body: Json = {"bills_id": [bill.bill_id for bill in bills]}
        if total is not None:
            body["expected_total_minor"] = total
        return self.line.ask("payments", apartment, body, key=str(uuid4()), late=self._late)

    def pay(self, ask: Ask) -> None:
        """Send a payment; until its outcome is known it is a wish."""
        if ask.key is not None:
            self.wallet.wishes[ask.key] = ask
        request_id = self.line.send(ask)
        if ask.key is None and request_id is not None:
            # Without a key of the client the request's id is the key.
            keyed = replace(ask, key=request_id)
            self.wallet.wishes[request_id] = self.line.outstanding[request_id] = keyed

    def _chosen(self, apartment: str) -> Ask | None:
        bills = self.wallet.choose(apartment, self._rng)
        total = sum(bill.amount_minor for bill in bills) if self._rng.random() < 0.7 else None
        return self._order(apartment, bills, total=total)

    def _pay(self, apartment: str) -> None:
        ask = self._chosen(apartment)
        if ask is not None:
            self.pay(replace(ask, key=None) if self._rng.random() < 0.1 else ask)

    def _pay_all(self, apartment: str) -> None:
        owed = self.wallet.owed.get(apartment, [])
        bills = [one for one in owed if one.currency == owed[0].currency]
        ask = self._order(apartment, bills, total=sum(bill.amount_minor for bill in bills))
        if ask is not None:
            self.pay(ask)

    def _pay_twice_with_one_key(self, apartment: str) -> None:
        ask = self._chosen(apartment)
        if ask is not None:
            self.pay(ask)
            self.pay(ask)

    def _pay_twice_with_two_keys(self, apartment: str) -> None:
        ask = self._chosen(apartment)
        if ask is not None:
            self.pay(ask)
            self.pay(replace(ask, key=str(uuid4())))

    def _pay_a_wrong_total(self, apartment: str) -> None:
        bills = self.wallet.choose(apartment, self._rng)
        wrong = sum(bill.amount_minor for bill in bills) + 1
        ask = self._order(apartment, bills, total=wrong)
        if ask is not None:
            self.pay(ask)

    def _pay_what_is_paid(self, _home: str) -> None:
        if self.wallet.paid:
            old = self._rng.choice(self.wallet.paid[-10:])
            self.pay(replace(old, key=str(uuid4())))

    def _repeat_a_payment(self, _home: str) -> None:
        if self.wallet.paid:
            self.pay(self._rng.choice(self.wallet.paid[-10:]))

    def _reuse_a_key(self, apartment: str) -> None:
        ask = self._chosen(apartment)
        if ask is not None and self.wallet.paid:
            # Not a wish: the key's outcome is known, and this request has none of its own.
            old = self._rng.choice(self.wallet.paid[-10:])
            self.line.send(replace(ask, key=old.key))

    def _ask_for_an_outcome(self, _home: str) -> None:
        if self.wallet.wishes:
            key = self._rng.choice(sorted(self.wallet.wishes))
            self.line.send(self.wallet.wishes[key])

    def _come_back(self, apartment: str) -> None:
        self.line.log_out(keep_refresh_token=self._rng.random() < 0.5)
        self.look(apartment)

    def _sync(self, apartment: str) -> None:
        self.sync(apartment, self._rng.choice(["cursor", "cursor", "frame", "nothing"]))

    def sync(
        self, apartment: str, how: str, *, final: bool = False, seconds: float = PATIENCE_SECONDS
    ) -> bool:
        """Bring the copy up to date; tell whether that was finished. Recorded when it was."""
        copy = self._copies[apartment]
        for _ in range(_PAGES):
            asked = self.line.api.recorder.now()
            parts = self._history(apartment, copy.question(how), how, seconds)
            if not parts or not self._take(copy, parts):
                return False
            if copy.frame is not None and not copy.more:
                self._tell(apartment, copy, asked, final=final)
                return True
            how = "cursor" if how == "nothing" else how
        return False

    def _history(self, apartment: str, body: Json, how: str, seconds: float) -> Parts | None:
        request_id = self.line.send(
            self.line.ask("histories", apartment, body, how=how, late=self._late)
        )
        if request_id is None:
            return None
        self.line.wait([request_id], seconds=seconds)
        return self.line.mailbox.answer(request_id)

    @staticmethod
    def _take(copy: HistoryCopy, parts: Parts) -> bool:
        """Take an answer; tell whether the sync can go on."""
        if parts[0]["code"] in ("history_frame_unknown", "invalid_cursor"):
            copy.forget()
            return True
        if parts[0]["status"] != "done":
            return False
        copy.take([part["data"] for part in parts])
        return True

    def _tell(self, apartment: str, copy: HistoryCopy, asked: float, *, final: bool) -> None:
        self.line.api.recorder.record(
            "sync",
            client=self.line.api.client,
            user=self.line.person.user,
            apartment=apartment,
            frame=copy.frame,
            events=copy.identities(),
            asked=round(asked, 6),
            final=final,
        )
