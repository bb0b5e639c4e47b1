"""What one client believes to owe and to have paid, learned from answers alone."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.chaos.world.api import Ask

Json = dict[str, Any]


@dataclass(frozen=True)
class Owed:
    """An open bill as debts showed it."""

    bill_id: str
    amount_minor: int
    currency: str


@dataclass
class Wallet:
    """Open bills by apartment; payments without an outcome by key; payments that were made."""

    owed: dict[str, list[Owed]] = field(default_factory=dict)
    wishes: dict[str, Ask] = field(default_factory=dict)
    paid: list[Ask] = field(default_factory=list)
    _versions: dict[str, int] = field(default_factory=dict)

    def see_debts(self, apartment: str, parts: Sequence[Mapping[str, Any]]) -> None:
        """Believe the parts of an answer about debts, unless something newer is known."""
        version = parts[0]["version"]
        if version < self._versions.get(apartment, 0):
            return
        self._versions[apartment] = version
        self.owed[apartment] = [
            Owed(debt["bill_id"], debt["amount_minor"], debt["currency"])
            for part in parts
            for debt in part["debts"]
        ]

    def see_outcome(self, ask: Ask, reply: Mapping[str, Any]) -> None:
        """Take the answer to a payment: only `failed` leaves its outcome open."""
        if reply["status"] == "failed":
            return
        self.wishes.pop(ask.key or "", None)
        if reply["status"] == "done" and ask.apartment is not None:
            self.paid.append(ask)
            gone = set(ask.body["bills_id"])
            owed = self.owed.get(ask.apartment, [])
            self.owed[ask.apartment] = [one for one in owed if one.bill_id not in gone]

    def choose(self, apartment: str, rng: random.Random) -> list[Owed]:
        """Choose up to three bills to pay, mostly of one currency."""
        owed = self.owed.get(apartment, [])
        if not owed:
            return []
        currency = rng.choice(owed).currency
        if rng.random() < 0.95:
            owed = [one for one in owed if one.currency == currency]
        return rng.sample(owed, min(len(owed), rng.randint(1, 3)))
