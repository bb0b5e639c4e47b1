"""What was read through the cache is current, and shown only to those who may see it."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

from billing_app.domain.bills import OpenDebts, Provider
from billing_app.domain.history import Position
from billing_app.domain.instants import TICK
from billing_app.ports.ledger import HistoryPage, HistoryQuery
from billing_app.use_cases.history import HistorySync
from tests.support.fake_ledger import FakeLedger
from tests.support.fakes import Resident


def owed(ada: Resident, subject: UUID | None = None) -> OpenDebts | None:
    return ada.needs.reader.open_debts(subject=subject or ada.subject, apartment_id=ada.home)


def total(found: OpenDebts | None) -> int:
    assert found is not None
    return sum(debt.amount_minor for debt in found.debts)


def settled(ada: Resident, subject: UUID | None = None) -> HistoryPage:
    query = HistoryQuery(0, None, None, 1000)
    page = ada.needs.reader.history(
        subject=subject or ada.subject, apartment_id=ada.home, query=query
    )
    assert page is not None
    return page


def test_cached_debts_are_shown_while_their_version_is_current() -> None:
    ada = Resident()
    bill = ada.bill()
    computed = owed(ada)
    assert owed(ada) == computed
    ada.pay(bill)
    ada.needs.cache.lost = True
    assert total(owed(ada)) == 0


def test_a_former_and_a_new_resident_are_never_shown_each_others_entry() -> None:
    ada = Resident()
    ada.ledger.clock.advance(timedelta(days=400))
    old, _ = (ada.bill(month=10) for _ in range(2))
    ada.ledger.end_residency(subject=ada.subject, apartment_id=ada.home)
    ada.ledger.clock.advance(timedelta(days=1))
    bob = ada.ledger.new_resident("Bob", ada.home, since=ada.ledger.clock())
    for who, owed_by in ((ada.subject, "you"), (bob, "former_resident")) * 2:
        shown = owed(ada, who)
        assert shown is not None
        assert {debt.owed_by for debt in shown.debts} == {owed_by}
    ada.pay(old)
    for who, count in ((ada.subject, 1), (bob, 0)) * 2:
        assert len(settled(ada, who).events) == count
    assert total(owed(ada)) == total(owed(ada, bob)) == 5140


def test_cached_debts_are_shown_to_nobody_who_may_not_see_them() -> None:
    ada = Resident()
    eve = ada.ledger.new_resident("Eve")
    ada.bill()
    assert total(owed(ada)) == 5140
    assert owed(ada, eve) is None
    assert len(ada.needs.cache.entries) == 1
    # Nor to whom they were shown while an operator took them for somebody else.
    ada.ledger.end_residency(subject=ada.subject, apartment_id=ada.home, by_mistake=True)
    assert owed(ada) is None


class MovingLedger(FakeLedger):
    """A ledger in which all bills are paid right after they were read."""

    payer: Resident | None = None

    def open_debts(self, *, subject: UUID, apartment_id: UUID) -> OpenDebts | None:
        found = super().open_debts(subject=subject, apartment_id=apartment_id)
        payer, self.payer = self.payer, None
        if payer is not None:
            payer.pay(*(bill.bill_id for bill in self.bills_in("open")))
        return found


def test_debts_that_were_paid_while_they_were_read_are_not_shown_again() -> None:
    ledger = MovingLedger()
    ada = Resident(ledger)
    ada.bill()
    ledger.payer = ada
    assert (total(owed(ada)), total(owed(ada))) == (5140, 0)


def test_a_cached_history_is_shown_only_while_its_version_is_current() -> None:
    ada = Resident()
    for count in (1, 2, 3):
        ada.pay()
        ada.needs.cache.lost = count == 2
        assert len(settled(ada).events) == count


def test_a_cached_history_is_shown_to_nobody_who_sees_less() -> None:
    ada = Resident()
    ada.pay()
    ada.ledger.clock.advance(timedelta(days=1))
    bob = ada.ledger.new_resident("Bob", ada.home, since=ada.ledger.clock())
    assert [len(settled(ada, who).events) for who in (ada.subject, bob, None)] == [1, 0, 1]


def test_a_resident_has_one_entry_of_history_whatever_positions_they_make_up() -> None:
    ada = Resident()
    posted = [ada.pay().settled_at for _ in range(3)]
    cached, read = (
        HistorySync(reader, ada.subject, ada.home) for reader in (ada.needs.reader, ada.ledger)
    )
    starts = [None, *(Position(posted[0] + n * TICK, posted[1] + TICK, n) for n in range(20))]
    assert [cached.update(start) for start in starts] == [read.update(start) for start in starts]
    assert len(ada.needs.cache.entries) == 1


def test_what_is_cached_is_read_as_it_was() -> None:
    ada = Resident()
    ada.bill(provider=Provider("w", "Вода"), month=2)
    ada.ledger.reverse_payment(payment_id=ada.pay().payment_id)
    computed = owed(ada), settled(ada)
    ada.needs.cache.entries = {
        key: type(one)(one.version, json.loads(json.dumps(one.body)))
        for key, one in ada.needs.cache.entries.items()
    }
    ada.ledger.bills.clear()
    ada.ledger.apartments[ada.home].events.clear()
    assert (owed(ada), settled(ada)) == computed
