"""Clerks: they send, correct and withdraw bills, take payments back, and let people move."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from tools.chaos.world.board import Board, SentBill
from tools.chaos.world.canaries import Canaries
from tools.chaos.world.office import LONG_AGO, Office

Json = dict[str, Any]

# A name so long that a list of its bills does not fit into one reply.
WORDY = "wordy"
PROVIDERS = {
    "northgas": "North Gas",
    "citywater": "City Water",
    "voltair": "Voltair",
    WORDY: ("Энергосбытовая компания " * 9)[:200],
}
_UTILITY = {"northgas": "gas", "citywater": "water", "voltair": "electricity", WORDY: "gas"}
_USUAL = ("citywater", "northgas", "voltair")


class BillsClerk:
    """Issues, revises, voids; reverses payments."""

    def __init__(
        self, *, office: Office, board: Board, rng: random.Random, apartments: Sequence[str]
    ) -> None:
        self._office = office
        self._board = board
        self._rng = rng
        self._apartments = apartments

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop."""
        try:
            while not stop.wait(self._rng.uniform(0.05, 0.5)):
                self.step()
        finally:
            self._office.close()

    def step(self) -> None:
        """Do one thing."""
        action = self._rng.choices(
            [self.issue, self._revise, self._void, self._reverse], weights=[6, 2, 1, 3]
        )[0]
        action()

    def issue(
        self, apartment: str | None = None, count: int | None = None, *, provider: str | None = None
    ) -> None:
        """Send some bills to an apartment, by default a few of usual providers to any."""
        place = apartment or self._rng.choice(self._apartments)
        lines = [self._line(place, provider) for _ in range(count or self._rng.randint(1, 3))]
        self._send(lines)

    def _line(self, apartment: str, provider_id: str | None) -> Json:
        provider = provider_id or self._rng.choice(_USUAL)
        month = self._rng.randint(1, 9)
        return {
            "apartment_id": apartment,
            "utility": _UTILITY[provider],
            "provider_id": provider,
            "provider_reference": str(uuid4()),
            "period_from": f"2026-{month:02}-01",
            "period_to": f"2026-{month:02}-28",
            "due_on": f"2026-{month + 1:02}-15",
            "amount_minor": self._rng.randint(1, 20_000),
            "currency": self._rng.choices(["EUR", "USD"], weights=[9, 1])[0],
        }

    def _send(self, lines: list[Json]) -> None:
        answer = self._office.issue(lines)
        if answer is None or answer["status"] != "done":
            return
        for line, result in zip(lines, answer["data"]["lines"], strict=True):
            if result["result"] != "rejected":
                bill = SentBill(result["bill_id"], line["apartment_id"], line)
                self._board.add(self._board.bills, bill)

    def _revise(self) -> None:
        bill = self._board.pick(self._board.bills, self._rng)
        if bill is not None:
            self._send([{**bill.line, "amount_minor": self._rng.randint(1, 20_000)}])

    def _void(self) -> None:
        bill = self._board.pick(self._board.bills, self._rng)
        if bill is not None:
            self._office.void(bill.bill_id)

    def _reverse(self) -> None:
        payment = self._board.pick(self._board.payments, self._rng)
        if payment is not None:
            self._office.reverse(payment)


class HousingClerk:
    """Lets residents move out and in again, and adds people whose names are canaries."""

    def __init__(
        self,
        *,
        office: Office,
        rng: random.Random,
        canaries: Canaries,
        movers: Sequence[tuple[str, str]],
    ) -> None:
        self._office = office
        self._rng = rng
        self._canaries = canaries
        self._movers = movers

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; whoever moved out by then stays out."""
        try:
            while not stop.wait(self._rng.uniform(0.3, 1.5)):
                self.step()
        finally:
            self._office.close()

    def step(self) -> None:
        """Do one thing."""
        if not self._movers or self._rng.random() < 0.2:
            self._office.add_resident(str(uuid4()), self._canaries.name())
            return
        user, apartment = self._rng.choice(self._movers)
        if self._rng.random() < 0.4:
            self._office.end(user, apartment)
        else:
            self._office.grant(user, apartment, self._rng.choice([None, LONG_AGO]))
