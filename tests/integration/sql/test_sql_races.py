"""Real connections at once: exactly one winner, no deadlock, no event lost."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from billing_app.domain.instants import TICK, format_instant, parse_instant
from tests.support.ledger import LONG_AGO, Answer, Home, Ledger, line

ROUNDS = 10
# A role, and what to do as it.
Runner = tuple[str, Callable[[Ledger], Any]]


def race(ledger: Ledger, runners: Sequence[Runner]) -> list[Any]:
    """Start all runners at once, each with a fresh connection of its role; return their results.

    Raises what the first failing runner raised.
    """
    start = threading.Barrier(len(runners))

    def run(runner: Runner) -> Any:
        role, act = runner
        with closing(ledger.database.login(role).connect()) as connection:
            start.wait(timeout=10)
            return act(ledger.on(connection))

    with ThreadPoolExecutor(len(runners)) as pool:
        return list(pool.map(run, runners))


def paying(home: Home, bills: list[str], key: str | None = None) -> Runner:
    return "writer", lambda ledger: ledger.pay(home, bills, key=key)


def reversing(payment_id: str) -> Runner:
    return "operator", lambda ledger: ledger.reverse(payment_id)


def issuing(*lines: Answer) -> Runner:
    return "operator", lambda ledger: ledger.issue(lines)


def reinstating(bill: str) -> Runner:
    return "operator", lambda ledger: ledger.reinstate(bill)


def void_bill(ledger: Ledger, home: Home, **fields: Any) -> str:
    bill = ledger.bill(home, **fields)
    ledger.void(bill)
    return bill


def billing_under_another_number(ledger: Ledger, home: Home) -> list[Runner]:
    bill, other = void_bill(ledger, home), line(home)
    return [
        reinstating(bill),
        ("operator", lambda ledger: ledger.issue([other], allow_duplicates=False)),
    ]


def paying_shared_bill(ledger: Ledger, home: Home) -> list[Runner]:
    first, shared, last = ledger.bills(home, 1, 2, 3)
    return [paying(home, [first, shared]), paying(home, [last, shared])]


def paying_two_bills_under_one_key(ledger: Ledger, home: Home) -> list[Runner]:
    key = str(uuid4())
    return [paying(home, [bill], key) for bill in ledger.bills(home, 100, 200)]


def reversing_one_payment(ledger: Ledger, home: Home) -> list[Runner]:
    payment = ledger.pay(home, ledger.bills(home, 100))["data"]["payment_id"]
    return [reversing(payment)] * 2


def issuing_for_two_apartments(ledger: Ledger, home: Home) -> list[Runner]:
    reference = str(uuid4())
    return [issuing(line(at, provider_reference=reference)) for at in (home, ledger.home())]


@pytest.mark.parametrize(
    ("rivals", "loser"),
    [
        (lambda ledger, home: [paying(home, ledger.bills(home, 100))] * 2, "bill_already_paid"),
        (paying_shared_bill, "bill_already_paid"),
        (paying_two_bills_under_one_key, "idempotency_key_reused"),
        (reversing_one_payment, "payment_already_reversed"),
        (lambda _, home: [issuing(line(home))] * 2, "already_present"),
        (issuing_for_two_apartments, "reference_of_other_apartment"),
        (lambda ledger, home: [reinstating(void_bill(ledger, home))] * 2, "bill_replaced"),
        (billing_under_another_number, "probable_duplicate"),
    ],
    ids=["bill", "shared bill", "key", "reversal", "new bill", "reference", "void", "duplicate"],
)
def test_one_of_two_rivals_wins(
    ledger: Ledger, rivals: Callable[[Ledger, Home], list[Runner]], loser: str
) -> None:
    for _ in range(ROUNDS):
        home = ledger.home()
        outcomes = sorted(map(outcome, race(ledger, rivals(ledger, home))), key=loser.__eq__)
        assert outcomes[0] in {"done", "issued"}
        assert outcomes[1] == loser


def outcome(answer: Answer) -> str:
    """Return what became of a payment, of a reversal, or of the one line of an import."""
    lines = (answer["data"] or {}).get("lines", ())
    told = lines[0] if lines and "result" in lines[0] else answer
    return str(told.get("code") or told.get("result") or told["status"])


def test_a_bill_is_paid_or_replaced_and_never_both(ledger: Ledger, home: Home) -> None:
    for _ in range(ROUNDS):
        reference = str(uuid4())
        bill = ledger.bill(home, provider_reference=reference)
        correction = line(home, provider_reference=reference, amount_minor=1)
        paid, issued = race(ledger, [paying(home, [bill]), issuing(correction)])
        result = issued["data"]["lines"][0]
        assert (paid.get("code"), result["result"], result["code"]) in {
            (None, "rejected", "bill_already_paid"),
            ("bill_void", "revised", None),
        }


def test_a_void_bill_is_owed_once_however_it_comes_back(ledger: Ledger, home: Home) -> None:
    for _ in range(ROUNDS):
        reference = {"provider_reference": str(uuid4())}
        bill = void_bill(ledger, home, **reference)
        correction = issuing(line(home, **reference, amount_minor=1))
        reinstated, issued = race(ledger, [reinstating(bill), correction])
        assert issued["data"]["lines"][0]["result"] == "revised"
        assert reinstated.get("code") in {None, "bill_replaced"}
        [owed] = ledger.debts(home)["debts"]
        assert owed["amount_minor"] == 1
        ledger.void(owed["bill_id"])


def test_imports_over_many_apartments_and_payments_in_them_never_deadlock(ledger: Ledger) -> None:
    homes = [ledger.home() for _ in range(4)]
    shuffle = random.Random(4)

    def import_often(operator: Ledger) -> None:
        for _ in range(ROUNDS):
            operator.issue([line(home) for home in shuffle.sample(homes, len(homes))])

    def pay_often(writer: Ledger) -> None:
        for home in homes * ROUNDS:
            for bill in writer.open_bills(home):
                writer.pay(home, [bill])

    def rename_often(operator: Ledger) -> None:
        for number in range(ROUNDS):
            operator.provider(name=f"North Gas {number}")

    importer, payer = ("operator", import_often), ("writer", pay_often)
    race(ledger, [importer, importer, payer, payer, ("operator", rename_often)])


def test_a_reader_who_follows_by_position_misses_no_event_of_concurrent_writers(
    ledger: Ledger, home: Home
) -> None:
    """Lock, then stamp: an event never appears behind one that a reader has already seen."""
    writers, payments = 3, 15
    shares = [ledger.bills(home, *[100] * payments) for _ in range(writers)]

    def pay_share(bills: list[str]) -> Runner:
        return "writer", lambda writer: [writer.pay(home, [bill]) for bill in bills]

    def follow(reader: Ledger) -> list[Answer]:
        seen: list[Answer] = []
        while len(seen) < writers * payments:
            last = seen and format_instant(parse_instant(seen[-1]["posted_at"]) + TICK)
            known = (LONG_AGO, last) if last else (None, None)
            seen += reader.history(home, known=known)["events"]
        return seen

    *_, seen = race(ledger, [*map(pay_share, shares), ("reader", follow)])
    assert [event["seq"] for event in seen] == list(range(1, writers * payments + 1))
    assert all(one["posted_at"] < next_["posted_at"] for one, next_ in pairwise(seen))
