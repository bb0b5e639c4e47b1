"""Real connections at once: exactly one winner, no deadlock, no event lost."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from uuid import uuid4

from billing_app.domain.instants import TICK, format_instant, parse_instant
from tests.support.ledger import LONG_AGO, Answer, Home, Ledger, line
from tests.support.races import Runner, race

ROUNDS = 10


def paying(home: Home, bills: list[str], key: str | None = None) -> Runner:
    return "writer", lambda ledger: ledger.pay(home, bills, key=key)


def reversing(payment_id: str) -> Runner:
    return "operator", lambda ledger: ledger.reverse(payment_id)


def moving_out(home: Home) -> Runner:
    return "operator", lambda ledger: ledger.end_residency(home)


def issuing(*lines: Answer) -> Runner:
    return "operator", lambda ledger: ledger.issue(lines)


def outcomes(answers: list[Answer]) -> Counter[str]:
    return Counter(answer.get("code") or answer["status"] for answer in answers)


def results(answers: list[Answer]) -> Counter[str]:
    return Counter(answer["data"]["lines"][0]["result"] for answer in answers)


def test_one_of_two_payments_for_a_bill_wins(ledger: Ledger, home: Home) -> None:
    for _ in range(ROUNDS):
        bills = ledger.bills(home, 100)
        answers = race(ledger, [paying(home, bills)] * 2)
        assert outcomes(answers) == {"done": 1, "bill_already_paid": 1}


def test_two_payments_that_share_one_bill_are_not_both_made(ledger: Ledger, home: Home) -> None:
    for _ in range(ROUNDS):
        first, shared, last = ledger.bills(home, 1, 2, 3)
        rivals = [paying(home, [first, shared]), paying(home, [last, shared])]
        assert outcomes(race(ledger, rivals)) == {"done": 1, "bill_already_paid": 1}
        assert len(ledger.open_bills(home) & {first, last}) == 1


def test_the_same_request_twice_at_once_gets_one_answer(ledger: Ledger, home: Home) -> None:
    for _ in range(ROUNDS):
        bills, key = ledger.bills(home, 100, 200), str(uuid4())
        rivals = [paying(home, bills, key), paying(home, bills[::-1], key)]
        first, second = race(ledger, rivals)
        assert first == second
        assert first["status"] == "done"


def test_one_key_for_two_requests_at_once_serves_one_of_them(ledger: Ledger, home: Home) -> None:
    for _ in range(ROUNDS):
        key = str(uuid4())
        rivals = [paying(home, [bill], key) for bill in ledger.bills(home, 100, 200)]
        assert outcomes(race(ledger, rivals)) == {"done": 1, "idempotency_key_reused": 1}


def test_a_payment_is_reversed_by_one_of_two_operators(ledger: Ledger, home: Home) -> None:
    for _ in range(ROUNDS):
        payment = ledger.pay(home, ledger.bills(home, 100))["data"]["payment_id"]
        answers = race(ledger, [reversing(payment)] * 2)
        assert outcomes(answers) == {"done": 1, "payment_already_reversed": 1}


def test_paying_again_happens_before_or_after_the_reversal(ledger: Ledger, home: Home) -> None:
    for _ in range(ROUNDS):
        bills = ledger.bills(home, 100)
        payment = ledger.pay(home, bills)["data"]["payment_id"]
        again, reversal = race(ledger, [paying(home, bills), reversing(payment)])
        assert reversal["status"] == "done"
        assert (again.get("code") or "done") in {"done", "bill_already_paid"}
        assert ledger.open_bills(home).isdisjoint(bills) == (again["status"] == "done")


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


def test_two_files_with_one_new_bill_issue_it_once(ledger: Ledger, home: Home) -> None:
    for _ in range(ROUNDS):
        bill = line(home)
        rivals = [issuing(bill), issuing(bill)]
        assert results(race(ledger, rivals)) == {"issued": 1, "already_present": 1}


def test_one_reference_for_two_apartments_at_once_goes_to_one_of_them(
    ledger: Ledger, home: Home
) -> None:
    reference = str(uuid4())
    rivals = [issuing(line(at, provider_reference=reference)) for at in (home, ledger.home())]
    assert results(race(ledger, rivals)) == {"issued": 1, "rejected": 1}


def test_a_payment_and_the_end_of_the_residency_have_an_order(ledger: Ledger) -> None:
    for _ in range(ROUNDS):
        home = ledger.home()
        rivals = [paying(home, ledger.bills(home, 100)), moving_out(home)]
        paid, ended = race(ledger, rivals)
        assert ended["status"] == "done"
        if paid["status"] == "done":
            assert paid["data"]["settled_at"] < ended["data"]["ended_at"]
        else:
            assert paid["code"] == "apartment_not_found"


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
