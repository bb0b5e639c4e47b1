"""What holds for every `Ledger`: the fake and Postgres alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from billing_app.domain.instants import TICK
from billing_app.domain.limits import MAX_BILLS, MAX_NAMED_BILLS, MAX_REJECTIONS
from billing_app.ports.ledger import HistoryPage, HistoryQuery
from tests.contract.conftest import LONG_AGO, Setup, rejection
from tests.support.bills import a_debt

EVERYTHING = HistoryQuery(0, None, None, 1000)
NOTE = {"reason": "paid twice", "operator": "olga"}


def owed(setup: Setup, who: UUID, where: UUID) -> list[UUID]:
    found = setup.ledger.open_debts(subject=who, apartment_id=where)
    assert found is not None
    return [debt.bill_id for debt in found.debts]


def version(setup: Setup, who: UUID, where: UUID) -> int:
    access = setup.ledger.access(subject=who, apartment_id=where)
    assert access is not None
    return access.version


def events(setup: Setup, who: UUID, where: UUID, query: HistoryQuery = EVERYTHING) -> HistoryPage:
    page = setup.ledger.history(subject=who, apartment_id=where, query=query)
    assert page is not None
    return page


def code_of(setup: Setup, who: UUID, where: UUID, *bills: UUID, **more: Any) -> str:
    """Return why a payment is rejected."""
    return rejection(setup.pay, who, where, *bills, **more).code


def test_an_account_lists_the_apartments_of_the_resident(setup: Setup) -> None:
    ada, home = setup.home()
    account = setup.ledger.account(subject=ada)
    assert account is not None
    assert account.name == "Ольга"
    assert [apartment.apartment_id for apartment in account.apartments] == [home]
    assert setup.ledger.account(subject=uuid4()) is None


def test_access_is_for_residents_of_the_apartment_alone(setup: Setup) -> None:
    ada, home = setup.home()
    eve, other = setup.home()
    assert setup.ledger.access(subject=ada, apartment_id=home) is not None
    for who, where in ((eve, home), (ada, other), (ada, uuid4()), (uuid4(), home)):
        assert setup.ledger.access(subject=who, apartment_id=where) is None
        assert setup.ledger.open_debts(subject=who, apartment_id=where) is None
        assert setup.ledger.history(subject=who, apartment_id=where, query=EVERYTHING) is None


def test_debts_come_by_due_date_at_the_version_of_the_apartment(setup: Setup) -> None:
    ada, home = setup.home()
    examples = [a_debt(month=3), a_debt(month=2, amount_minor=77)]
    late, early = [setup.issue(home, example) for example in examples]
    found = setup.ledger.open_debts(subject=ada, apartment_id=home)
    assert found is not None
    assert found.version == version(setup, ada, home)
    assert found.debts == (
        replace(examples[1], bill_id=early),
        replace(examples[0], bill_id=late),
    )


def test_a_payment_closes_its_bills_moves_the_version_and_is_history(setup: Setup) -> None:
    ada, home = setup.home()
    bills = [setup.issue(home, a_debt(amount_minor=amount)) for amount in (100, 23)]
    left = setup.issue(home, a_debt())
    before = version(setup, ada, home)
    receipt = setup.pay(ada, home, *bills, total=123)
    assert (receipt.total_minor, receipt.currency) == (123, "EUR")
    assert {bill.bill_id for bill in receipt.bills} == set(bills)
    assert (owed(setup, ada, home), version(setup, ada, home)) == ([left], before + 1)
    page = events(setup, ada, home)
    assert [(event.seq, event.kind) for event in page.events] == [(1, "payment"), (2, "payment")]
    assert {event.receipt_number for event in page.events} == {receipt.receipt_number}
    assert {event.bill for event in page.events} == set(receipt.bills)
    posted = [event.posted_at for event in page.events]
    assert posted[0] < posted[1] == page.last_posted_at


def test_the_same_key_gets_the_same_answer_for_ever(setup: Setup) -> None:
    ada, home = setup.home()
    elsewhere = setup.apartment()
    setup.operators.grant_residency(subject=ada, apartment_id=elsewhere, since=LONG_AGO)
    first, second = (setup.issue(home, a_debt()) for _ in range(2))
    receipt = setup.pay(ada, home, first, second, key="k")
    assert setup.pay(ada, home, second, first, first, key="k") == receipt
    for where, bills, total in (
        (home, [first], None),
        (home, [first, second], receipt.total_minor),
        (elsewhere, [first, second], None),
    ):
        again = code_of(setup, ada, where, *bills, key="k", total=total)
        assert again == "idempotency_key_reused"
    assert code_of(setup, ada, home, first, key="other") == "bill_already_paid"
    third = setup.issue(home, a_debt())
    assert code_of(setup, ada, home, third, first, key="rejected") == "bill_already_paid"
    setup.operators.reverse_payment(payment_id=receipt.payment_id, **NOTE)
    assert code_of(setup, ada, home, third, first, key="rejected") == "bill_already_paid"
    setup.operators.end_residency(subject=ada, apartment_id=home)
    assert setup.pay(ada, home, first, second, key="k") == receipt
    assert setup.pay(ada, home, first, second, key="k", is_stale=True) == receipt


def test_a_payment_that_nobody_expects_any_more_is_never_made(setup: Setup) -> None:
    ada, home = setup.home()
    bill = setup.issue(home, a_debt())
    for is_stale in (True, False):
        assert code_of(setup, ada, home, bill, key="k", is_stale=is_stale) == "request_expired"
    assert setup.pay(ada, home, bill, key="another").total_minor == a_debt().amount_minor


def test_rejections_are_small_and_only_so_many_an_hour(setup: Setup) -> None:
    ada, home = setup.home()
    bill = setup.issue(home, a_debt())
    unknown = sorted(uuid4() for _ in range(MAX_BILLS))
    first = rejection(setup.pay, ada, home, *unknown, key="0", requested_at=LONG_AGO)
    named = [str(one) for one in unknown[:MAX_NAMED_BILLS]]
    assert first.data == {"bills": named, "bills_count": MAX_BILLS}
    for n in range(1, MAX_REJECTIONS):
        code = code_of(setup, ada, home, uuid4(), key=f"{n}", requested_at=LONG_AGO)
        assert code == "bill_not_found"
    # A request that comes back is answered as before, whether its answer was stored or not.
    for key, code in [("x", "too_many_rejections"), ("0", "bill_not_found")] * 2:
        bills = unknown if key == "0" else [bill]
        assert code_of(setup, ada, home, *bills, key=key, requested_at=LONG_AGO) == code
    next_hour = LONG_AGO + timedelta(hours=1)
    assert setup.pay(setup.resident(home), home, bill, requested_at=LONG_AGO).bills
    assert code_of(setup, ada, home, bill, key="x", requested_at=next_hour) == "bill_already_paid"


def test_keys_are_each_residents_own(setup: Setup) -> None:
    ada, home = setup.home()
    bob = setup.resident(home)
    one, two = (setup.issue(home, a_debt()) for _ in range(2))
    first = setup.pay(ada, home, one, key="k")
    assert setup.pay(bob, home, two, key="k").payment_id != first.payment_id


def test_foreign_and_unknown_bills_and_apartments_read_alike(setup: Setup) -> None:
    ada, home = setup.home()
    eve, other = setup.home()
    theirs = setup.issue(other, a_debt())
    assert code_of(setup, ada, home, theirs) == "bill_not_found"
    assert code_of(setup, ada, home, uuid4()) == "bill_not_found"
    assert code_of(setup, ada, other, theirs) == "apartment_not_found"
    assert code_of(setup, eve, uuid4(), theirs) == "apartment_not_found"
    assert code_of(setup, uuid4(), home, theirs) == "apartment_not_found"


def test_a_payment_is_all_or_nothing(setup: Setup) -> None:
    ada, home = setup.home()
    good, paid = setup.issue(home, a_debt()), setup.issue(home, a_debt())
    setup.pay(ada, home, paid)
    assert code_of(setup, ada, home, good, paid) == "bill_already_paid"
    assert code_of(setup, ada, home, good, uuid4()) == "bill_not_found"
    yen = setup.issue(home, a_debt(currency="JPY"))
    assert code_of(setup, ada, home, good, yen) == "currency_mixed"
    changed = rejection(setup.pay, ada, home, good, total=1)
    assert (changed.code, (changed.data or {})["total_minor"]) == ("total_changed", 5140)
    assert set(owed(setup, ada, home)) == {good, yen}


def test_history_is_read_by_position_by_range_and_by_limit(setup: Setup) -> None:
    ada, home = setup.home()
    for _ in range(5):
        setup.pay(ada, home, setup.issue(home, a_debt()))
    whole = events(setup, ada, home)
    posted = [event.posted_at for event in whole.events]

    def seqs(query: HistoryQuery) -> tuple[list[int], bool]:
        page = events(setup, ada, home, query)
        return [event.seq for event in page.events], page.more

    assert seqs(HistoryQuery(3, None, None, 10)) == ([4, 5], False)
    assert seqs(HistoryQuery(0, None, None, 2)) == ([1, 2], True)
    assert seqs(HistoryQuery(0, None, posted[2], 10)) == ([3, 4, 5], False)
    assert seqs(HistoryQuery(0, None, posted[2] + TICK, 10)) == ([4, 5], False)
    assert seqs(HistoryQuery(0, posted[1], None, 10)) == ([1], False)
    assert seqs(HistoryQuery(0, posted[1], posted[3], 10)) == ([1, 4, 5], False)
    ends = (None, whole.visible_from, *(posted[-1] + ticks * TICK for ticks in (1, 2)))
    pages = [events(setup, ada, home, HistoryQuery(0, None, end, 1)) for end in ends]
    assert [page.known_end_exists for page in pages] == [True, True, True, False]
    assert seqs(HistoryQuery(2, None, posted[4], 10)) == ([5], False)


def test_the_registry_of_reply_queues_remembers_until_told(setup: Setup) -> None:
    ledger = setup.ledger
    ada, _ = setup.home()

    def register(name: str, seconds: int, subject: UUID | None = ada) -> timedelta | None:
        lifetime = timedelta(seconds=seconds)
        return ledger.register_reply_queue(name=name, subject=subject, lifetime=lifetime)

    def expired(limit: int = 10, *, prefixes: Sequence[str] = ("a-", "b-")) -> list[str]:
        return ledger.expired_reply_queues(prefixes=prefixes, limit=limit)

    for name, overdue in (("a-second", 6), ("b-third", 5), ("a-first", 7), ("x-other", 9)):
        assert register(name, -overdue) is None
    register("b-login", 3600, subject=None)
    assert expired() == ["a-first", "a-second", "b-third"]
    assert expired(2) == ["a-first", "a-second"]
    assert expired(prefixes=["x-"]) == ["x-other"]
    # A lifetime only gets longer.
    for seconds in (3600, -5):
        register("a-first", seconds)
        assert expired() == ["a-second", "b-third"]
    # What the registry has stays as it is; what is in use is not forgotten.
    for lacking in (1, 0):
        adopted = ledger.adopt_reply_queues(
            names=["a-second", "a-lost", "a-first"], lifetime=timedelta(hours=1)
        )
        assert adopted == lacking
    ledger.forget_reply_queue(name="a-first")
    ledger.forget_reply_queue(name="a-second")
    assert ledger.adopt_reply_queues(names=["a-first"], lifetime=timedelta(hours=1)) == 0
    assert expired() == ["b-third"]


def test_a_claimed_reply_queue_is_the_sweepers_alone_until_the_claim_ends(setup: Setup) -> None:
    ledger, hold = setup.ledger, timedelta(minutes=1)

    def register(name: str, lifetime: timedelta = timedelta(hours=1)) -> timedelta | None:
        return ledger.register_reply_queue(name=name, subject=None, lifetime=lifetime)

    def expired() -> list[str]:
        return ledger.expired_reply_queues(prefixes=["a-"], limit=10)

    register("a-used")
    assert not ledger.claim_reply_queue(name="a-used", hold=hold)
    assert not ledger.claim_reply_queue(name="a-unknown", hold=hold)
    for name in ("a-held", "a-free"):
        register(name, -hold)
    assert ledger.claim_reply_queue(name="a-held", hold=hold)
    wait = register("a-held")
    assert wait is not None
    assert timedelta(0) < wait <= hold
    ledger.forget_reply_queue(name="a-held")
    assert expired() == ["a-free"]
    assert register("a-held") is not None
    # A claim whose time is over, here one of no time at all, is forgotten or used anew.
    assert ledger.claim_reply_queue(name="a-held", hold=timedelta(0))
    assert expired() == ["a-free", "a-held"]
    assert register("a-held") is None
    assert not ledger.claim_reply_queue(name="a-held", hold=hold)
