"""What a client learns from answers alone: what it owes, what it has paid, and the history."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tools.chaos.workload.http import Json, Request

_Identity = tuple[str, str, str]


@dataclass(frozen=True)
class Debt:
    """An open bill as debts showed it."""

    bill_id: str
    amount_minor: int
    currency: str


@dataclass
class ClientModel:
    """Open bills by apartment; payments without an outcome by key; payments that were made."""

    owed: dict[str, list[Debt]] = field(default_factory=dict)
    pending: dict[str, Request] = field(default_factory=dict)
    paid: list[Request] = field(default_factory=list)
    _versions: dict[str, int] = field(default_factory=dict)

    def see_debts(self, apartment: str, parts: Sequence[Json]) -> None:
        """Take the parts of an answer about debts, unless something newer is known."""
        data = [part["data"] for part in parts]
        if data[0]["version"] >= self._versions.get(apartment, 0):
            self._versions[apartment] = data[0]["version"]
            self.owed[apartment] = [
                Debt(debt["bill_id"], debt["amount_minor"], debt["currency"])
                for one in data
                for debt in one["debts"]
            ]

    def see_outcome(self, request: Request, status: str) -> None:
        """Take the answer to a payment: only `failed` leaves its outcome open."""
        if status == "failed":
            return
        self.pending.pop(request.key or "", None)
        if status == "done" and request.apartment is not None:
            self.paid.append(request)
            gone = set(request.body["bills_id"])
            owed = self.owed.get(request.apartment, [])
            self.owed[request.apartment] = [one for one in owed if one.bill_id not in gone]

    def choose(self, apartment: str, rng: random.Random) -> list[Debt]:
        """Choose up to three bills to pay, mostly of one currency."""
        owed = self.owed.get(apartment, [])
        if not owed:
            return []
        currency = rng.choice(owed).currency
        if rng.random() < 0.95:
            owed = [one for one in owed if one.currency == currency]
        return rng.sample(owed, min(len(owed), rng.randint(1, 3)))


@dataclass
class SyncedHistory:
    """A copy of an apartment's history, kept by the rules of docs/api.md.

    Holds events by identity (event, payment, bill) with their posting instants, and the frame.
    """

    events: dict[_Identity, str] = field(default_factory=dict)
    frame: Mapping[str, str] | None = None
    cursor: str | None = None
    more: bool = True

    def question(self, how: str) -> Json:
        """Return the body of the next request: `how` is nothing, frame or cursor."""
        if how == "nothing" or self.frame is None:
            return {"date_down": None, "date_up": None}
        return {**self.frame, "cursor": self.cursor} if how == "cursor" else {**self.frame}

    def take(self, parts: Sequence[Json]) -> None:
        """Take an answer's parts in their order: `covered` is authoritative."""
        for part in parts:
            data = part["data"]
            for event in data["settled_debts"]:
                identity = event["event"], event["payment_id"], event["bill_id"]
                self.events[identity] = event["posted_at"]
            down, up = data["covered"]["date_down"], data["covered"]["date_up"]
            self.frame = {"date_down": down, "date_up": up}
            self.cursor, self.more = data["cursor"], data["more"]
            # Instants all have the same shape, so they sort as text.
            self.events = {who: at for who, at in self.events.items() if down <= at < up}

    def identities(self) -> list[_Identity]:
        """Return the events in it, sorted by posting instant."""
        return sorted(self.events, key=lambda who: self.events[who])
