"""Whose a debt is after a move, who may pay it, and what each then sees of the history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from billing_app.domain.bills import Receipt
from billing_app.domain.instants import parse_instant
from tests.contract.conftest import LONG_AGO, Setup, rejection
from tests.contract.test_ledger_contract import NOTE, events, version
from tests.support.bills import a_debt
from tests.support.fake_bills import FakeResidency
from tests.support.fake_ledger import FakeLedger

ALREADY_GONE = parse_instant("2026-10-31T12:00:00Z")
# Who had the apartment from when to when, the period of a bill, and what each sees of that debt:
# None is a debt that is not shown.
STORIES: dict[str, tuple[str, list[tuple[str, str, str]], str, dict[str, str | None]]] = {
    "sold": ("UTC", [("ada", "2025-01-01", "2026-09-10"), ("bob", "2026-09-10", "")],
             "2026-08-01/2026-08-31", {"ada": "you", "bob": "former_resident"}),
    "a period in which they moved": (
        "UTC", [("ada", "2025-01-01", "2026-09-10"), ("bob", "2026-09-10", "")],
        "2026-09-01/2026-09-30", {"ada": None, "bob": "you"}),
    "registered after the period": (
        "UTC", [("ada", "2026-09-03", "2026-09-05"), ("bob", "2026-09-05", "")],
        "2026-08-01/2026-08-31", {"ada": "you", "bob": "former_resident"}),
    "the next was granted before the first had left": (
        "UTC", [("ada", "2026-09-03", "2026-09-05"), ("bob", "2026-09-04", "")],
        "2026-08-01/2026-08-31", {"ada": "you", "bob": "former_resident"}),
    "a household": ("UTC", [("ada", "2025-01-01", ""), ("bob", "2025-01-01", "")],
                    "2026-08-01/2026-08-31", {"ada": "you", "bob": "you"}),
    "somebody moved in with them": (
        "UTC", [("ada", "2025-01-01", ""), ("bob", "2026-09-10", "")],
        "2026-08-01/2026-08-31", {"ada": "you", "bob": "you"}),
    "one of two left": ("UTC", [("ada", "2025-01-01", "2026-10-01"), ("bob", "2025-01-01", "")],
                        "2026-08-01/2026-08-31", {"ada": "you", "bob": "you"}),
    "who was there before left": (
        "UTC", [("ada", "2025-01-01", "2026-10-01"), ("bob", "2026-09-10", "")],
        "2026-08-01/2026-08-31", {"ada": "you", "bob": "former_resident"}),
    "empty at the end of the period": (
        "UTC", [("ada", "2025-01-01", "2026-08-10"), ("bob", "2026-10-01", "")],
        "2026-08-01/2026-08-31", {"ada": "you", "bob": "former_resident"}),
    "empty in all of the period": (
        "UTC", [("ada", "2025-01-01", "2026-08-10"), ("bob", "2026-10-01", "")],
        "2026-09-01/2026-09-30", {"ada": None, "bob": "you"}),
    "came back": ("UTC", [("ada", "2025-01-01", "2026-03-01"), ("bob", "2026-03-01", "2026-06-01"),
                          ("ada", "2026-06-01", "")],
                  "2026-02-01/2026-02-28", {"ada": "you", "bob": None}),
    "came back after another": (
        "UTC", [("ada", "2025-01-01", "2026-03-01"), ("bob", "2026-03-01", "2026-06-01"),
                ("ada", "2026-06-01", "")],
        "2026-04-01/2026-04-30", {"ada": "former_resident", "bob": "you"}),
    "a residency that never began": (
        "UTC", [("bob", "2026-08-15", "2026-08-15"), ("ada", "2026-09-10", "")],
        "2026-08-01/2026-08-31", {"ada": "you", "bob": "stranger"}),
    "a residency that is yet to begin": (
        "UTC", [("ada", "2025-01-01", "2026-09-10"), ("bob", "2999-01-01", "")],
        "2026-08-01/2026-08-31", {"ada": "you", "bob": "stranger"}),
    "moved on the last day": (
        "UTC", [("ada", "2025-01-01", "2026-08-31T12"), ("bob", "2026-08-31T13", "")],
        "2026-08-01/2026-08-31", {"ada": "you", "bob": "you"}),
    "moved at midnight in California": (
        "America/Los_Angeles",
        [("ada", "2025-01-01", "2026-09-01T07"), ("bob", "2026-09-01T07", "")],
        "2026-08-01/2026-08-31", {"ada": "you", "bob": "former_resident"}),
    "moved in the evening in New Zealand": (
        "Pacific/Auckland",
        [("ada", "2025-01-01", "2026-08-31T11"), ("bob", "2026-08-31T12", "")],
        "2026-08-01/2026-08-31", {"ada": "you", "bob": "former_resident"}),
}  # fmt: skip


@dataclass
class Flat:
    """An apartment, and people who come and go; each act is later than the one before it."""

    setup: Setup
    home: UUID

    @classmethod
    def of(cls, setup: Setup) -> Flat:
        if isinstance(setup.ledger, FakeLedger):
            setup.ledger.clock.now = ALREADY_GONE
        return cls(setup, setup.apartment())

    def moves_in(self, *, since: datetime | None = None) -> UUID:
        return self.has_again(self.setup.resident(), since=since)

    def has_again(self, who: UUID, *, since: datetime | None = None) -> UUID:
        self.wait()
        self.setup.operators.grant_residency(subject=who, apartment_id=self.home, since=since)
        return who

    def moves_out(self, *people: UUID) -> None:
        for who in people:
            self.wait()
            self.setup.operators.end_residency(subject=who, apartment_id=self.home)

    def wait(self) -> None:
        if isinstance(self.setup.ledger, FakeLedger):
            self.setup.ledger.clock.advance(timedelta(seconds=1))

    def bill(self, month: int = 8) -> UUID:
        return self.setup.issue(self.home, a_debt(month=month))

    def pays(self, who: UUID, *bills: UUID) -> Receipt:
        self.wait()
        return self.setup.pay(who, self.home, *bills)

    def rejects(self, who: UUID, *bills: UUID) -> tuple[str, Any]:
        found = rejection(self.setup.pay, who, self.home, *bills)
        return found.code, found.data

    def reverses(self, receipt: Receipt) -> None:
        self.wait()
        self.setup.operators.reverse_payment(payment_id=receipt.payment_id, **NOTE)

    def owed(self, who: UUID) -> dict[UUID, str]:
        found = self.setup.ledger.open_debts(subject=who, apartment_id=self.home)
        return {} if found is None else {debt.bill_id: debt.owed_by for debt in found.debts}

    def history(self, who: UUID) -> list[tuple[str, UUID]]:
        found = events(self.setup, who, self.home).events
        return [(event.kind, event.bill.bill_id) for event in found]


@pytest.fixture
def flat(setup: Setup) -> Flat:
    return Flat.of(setup)


def lived(setup: Setup, who: UUID, home: UUID, since: datetime, until: datetime | None) -> None:
    """Write a residency of the past, as time would have."""
    if isinstance(setup.ledger, FakeLedger):
        setup.ledger.residencies.append(FakeResidency(who, home, since, since, until))
        return
    setup.as_owner(
        "UPDATE billing.apartment_state SET version = version + 1 WHERE apartment_id = %(home)s;"
        " INSERT INTO billing.residencies (resident_id, apartment_id, since, ended_at, granted_at)"
        " SELECT resident_id, %(home)s, %(since)s, %(until)s, %(since)s"
        " FROM billing.residents WHERE subject = %(who)s",
        {"who": who, "home": home, "since": since, "until": until},
    )


def named(*bills: UUID) -> dict[str, Any]:
    return {"bills": sorted(map(str, bills)), "bills_count": len(bills)}


def instant(text: str) -> datetime:
    return parse_instant(f"{text if 'T' in text else f'{text}T00'}:00:00Z")


@pytest.mark.parametrize("name", STORIES)
def test_a_debt_is_theirs_who_lived_there_at_the_end_of_its_period(flat: Flat, name: str) -> None:
    zone, stays, period, expected = STORIES[name]
    flat.setup.set_time_zone(zone)
    people = {who: flat.setup.resident() for who in ("ada", "bob")}
    for who, since, until in stays:
        lived(flat.setup, people[who], flat.home, instant(since), instant(until) if until else None)
    first, last = map(date.fromisoformat, period.split("/"))
    debt = a_debt()
    bill = flat.setup.issue(
        flat.home, replace(debt, period=replace(debt.period, first_day=first, last_day=last))
    )
    for who, owed_by in expected.items():
        if owed_by == "stranger":
            assert flat.setup.ledger.access(subject=people[who], apartment_id=flat.home) is None
        else:
            assert flat.owed(people[who]).get(bill) == owed_by, who


def test_who_moved_out_pays_what_is_theirs_and_nobody_else_does(flat: Flat) -> None:
    ada = flat.moves_in(since=LONG_AGO)
    before, old = flat.bill(), flat.bill()
    flat.pays(ada, before)
    flat.moves_out(ada)
    bob = flat.moves_in()
    late, new = flat.bill(7), flat.bill(12)
    assert flat.owed(ada) == {late: "you", old: "you"}
    assert flat.owed(bob) == {late: "former_resident", old: "former_resident", new: "you"}
    assert flat.rejects(bob, old, new) == ("bill_of_former_resident", named(old))
    assert flat.rejects(ada, old, new) == ("bill_not_found", named(new))
    flat.pays(bob, new)
    assert flat.rejects(ada, new) == ("bill_not_found", named(new))
    receipt = flat.pays(ada, old, late)
    assert {line.bill_id for line in receipt.bills} == {old, late}
    assert flat.rejects(bob, old)[0] == flat.rejects(ada, old)[0] == "bill_already_paid"
    assert flat.owed(ada) == flat.owed(bob) == {}
    assert flat.history(ada) == [("payment", one) for one in (before, late, old)]
    assert flat.history(bob) == [("payment", new)]


def test_what_is_paid_after_a_move_does_not_move_the_others_frame(flat: Flat) -> None:
    ada = flat.moves_in(since=LONG_AGO)
    old = flat.bill()
    flat.moves_out(ada)
    bob = flat.moves_in()
    flat.pays(bob, flat.bill(12))
    assert events(flat.setup, ada, flat.home).last_posted_at is None
    last = events(flat.setup, bob, flat.home).last_posted_at
    flat.pays(ada, old)
    assert events(flat.setup, bob, flat.home).last_posted_at == last


def test_who_had_an_apartment_by_mistake_keeps_nothing_of_it(flat: Flat) -> None:
    ada = flat.moves_in(since=LONG_AGO)
    bill, paid = flat.bill(), flat.bill(month=7)
    flat.pays(ada, paid)
    eve = flat.moves_in(since=LONG_AGO)
    assert flat.history(eve) == [("payment", paid)]
    flat.wait()
    ended = flat.setup.operators.end_residency(subject=eve, apartment_id=flat.home, by_mistake=True)
    assert ended.ended_at == LONG_AGO
    assert flat.rejects(eve, bill)[0] == "apartment_not_found"
    assert flat.setup.ledger.access(subject=eve, apartment_id=flat.home) is None
    assert flat.owed(ada) == {bill: "you"}


def test_a_reversal_after_a_move_is_told_to_whom_the_payment_was(flat: Flat) -> None:
    ada, eve = (flat.moves_in(since=LONG_AGO) for _ in range(2))
    bill = flat.bill()
    receipt = flat.pays(ada, bill)
    flat.moves_out(ada, eve)
    bob = flat.moves_in()
    flat.reverses(receipt)
    assert flat.owed(ada) == flat.owed(eve) == {bill: "you"}
    assert flat.owed(bob) == {bill: "former_resident"}
    assert flat.history(ada) == [("payment", bill), ("reversal", bill)]
    assert flat.history(bob) == []


def test_who_left_is_told_of_the_reversal_of_what_was_paid_in_their_time(flat: Flat) -> None:
    ada, eve = (flat.moves_in(since=LONG_AGO) for _ in range(2))
    bill = flat.bill()
    receipt = flat.pays(ada, bill)
    flat.moves_out(eve)
    flat.reverses(receipt)
    assert flat.history(eve) == flat.history(ada) == [("payment", bill), ("reversal", bill)]


def test_who_stays_sees_that_a_common_bill_was_paid_by_who_left(flat: Flat) -> None:
    ada, eve = (flat.moves_in(since=LONG_AGO) for _ in range(2))
    common, paid_here = flat.bill(), flat.bill()
    flat.moves_out(ada)
    assert flat.owed(ada) == flat.owed(eve) == {common: "you", paid_here: "you"}
    flat.reverses(flat.pays(ada, common))
    flat.pays(eve, paid_here)
    assert flat.history(ada) == [("payment", common), ("reversal", common)]
    assert flat.history(eve) == [*flat.history(ada), ("payment", paid_here)]
    assert flat.owed(ada) == flat.owed(eve) == {common: "you"}


def test_an_account_lists_what_was_left_last_and_strangers_see_nothing(flat: Flat) -> None:
    ada = flat.moves_in(since=LONG_AGO)
    present = flat.setup.apartment()
    flat.setup.operators.grant_residency(subject=ada, apartment_id=present, since=LONG_AGO)
    flat.moves_out(ada)
    account = flat.setup.ledger.account(subject=ada)
    assert account is not None
    listed = [(one.apartment_id, one.former) for one in account.apartments]
    assert listed == [(present, False), (flat.home, True)]
    stranger = flat.setup.resident()
    assert flat.rejects(stranger, flat.bill())[0] == "apartment_not_found"


def test_who_comes_back_does_not_see_what_others_did_meanwhile(flat: Flat) -> None:
    ada, eve = (flat.moves_in(since=LONG_AGO) for _ in range(2))
    common, hidden, hers = (flat.bill() for _ in range(3))
    flat.pays(eve, common)
    flat.moves_out(ada)
    flat.pays(eve, hidden)
    flat.pays(ada, hers)
    before = flat.history(ada)
    assert before == [("payment", common), ("payment", hers)]
    flat.has_again(ada, since=LONG_AGO)
    assert flat.history(ada) == before
    later = flat.bill()
    flat.pays(eve, later)
    assert flat.history(ada) == [*before, ("payment", later)]
    assert len(flat.history(eve)) == 4


def test_a_new_time_zone_moves_every_version(setup: Setup) -> None:
    ada, home = setup.home()
    before = version(setup, ada, home)
    setup.set_time_zone("Pacific/Auckland")
    setup.set_time_zone("Pacific/Auckland")
    assert version(setup, ada, home) == before + 1
