"""Two real connections at once: exactly one winner, no deadlock, no event lost."""

import json
import random
from collections import Counter
from itertools import pairwise
from uuid import uuid4

import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

from tests.support.databases import BooksDatabase
from tests.support.ledger import Answer, Home, Ledger, line, pay, query, value
from tests.support.races import Runner, race

ROUNDS = 10


@pytest.fixture
def home(ledger: Ledger) -> Home:
    return ledger.home()


def paying(home: Home, bills: list[str], key: str | None = None) -> Runner:
    return "writer", lambda connection: pay(connection, home, bills, key=key)


def reversing(payment_id: str) -> Runner:
    statement = "SELECT api.reverse_payment(%s, 'paid twice', 'olga')"
    return "operator", lambda connection: value(connection, statement, payment_id)


def moving_out(home: Home) -> Runner:
    statement = "SELECT api.end_residency(%s, %s)"
    return "operator", lambda connection: value(connection, statement, home.subject, home.apartment)


def issuing(*lines: Answer) -> Runner:
    batch = {"import_id": str(uuid4()), "file_name": "race.csv", "sha256": uuid4().hex * 2}
    parameter = json.dumps({**batch, "lines": lines})
    return "operator", lambda connection: value(connection, "SELECT api.issue_bills(%s)", parameter)


def outcomes(answers: list[Answer]) -> Counter[str]:
    return Counter(answer.get("code") or answer["status"] for answer in answers)


def test_one_of_two_payments_for_a_bill_wins(
    ledger: Ledger, database: BooksDatabase, home: Home
) -> None:
    for _ in range(ROUNDS):
        bills = ledger.bills(home, 100)
        answers = race(database, [paying(home, bills), paying(home, bills)])
        assert outcomes(answers) == {"done": 1, "bill_already_paid": 1}


def test_two_payments_that_share_one_bill_are_not_both_made(
    ledger: Ledger, database: BooksDatabase, home: Home
) -> None:
    for _ in range(ROUNDS):
        first, shared, last = ledger.bills(home, 1, 2, 3)
        answers = race(database, [paying(home, [first, shared]), paying(home, [last, shared])])
        assert outcomes(answers) == {"done": 1, "bill_already_paid": 1}
        assert len(ledger.open_bills(home)) == 1
        ledger.pay(home, list(ledger.open_bills(home)))


def test_the_same_request_twice_at_once_gets_one_answer(
    ledger: Ledger, database: BooksDatabase, home: Home
) -> None:
    for _ in range(ROUNDS):
        bills, key = ledger.bills(home, 100, 200), str(uuid4())
        first, second = race(database, [paying(home, bills, key), paying(home, bills[::-1], key)])
        assert first == second
        assert first["status"] == "done"


def test_one_key_for_two_wishes_at_once_serves_one_of_them(
    ledger: Ledger, database: BooksDatabase, home: Home
) -> None:
    for _ in range(ROUNDS):
        one, other = ledger.bills(home, 100, 200)
        key = str(uuid4())
        answers = race(database, [paying(home, [one], key), paying(home, [other], key)])
        assert outcomes(answers) == {"done": 1, "idempotency_key_reused": 1}


def test_a_payment_is_reversed_by_one_of_two_operators(
    ledger: Ledger, database: BooksDatabase, home: Home
) -> None:
    for _ in range(ROUNDS):
        payment = ledger.pay(home, ledger.bills(home, 100))["data"]["payment_id"]
        answers = race(database, [reversing(payment), reversing(payment)])
        assert outcomes(answers) == {"done": 1, "payment_already_reversed": 1}


def test_paying_again_meets_the_reversal_before_or_after_it(
    ledger: Ledger, database: BooksDatabase, home: Home
) -> None:
    for _ in range(ROUNDS):
        bills = ledger.bills(home, 100)
        payment = ledger.pay(home, bills)["data"]["payment_id"]
        again, reversal = race(database, [paying(home, bills), reversing(payment)])
        assert reversal["status"] == "done"
        assert (again.get("code") or "done") in {"done", "bill_already_paid"}
        assert ledger.open_bills(home).isdisjoint(bills) == (again["status"] == "done")


def test_a_bill_is_paid_or_replaced_and_never_both(
    ledger: Ledger, database: BooksDatabase, home: Home
) -> None:
    for _ in range(ROUNDS):
        reference = str(uuid4())
        bill = ledger.bill(home, provider_reference=reference)
        correction = line(home, provider_reference=reference, amount_minor=1)
        paid, issued = race(database, [paying(home, [bill]), issuing(correction)])
        result = issued["data"]["lines"][0]
        assert (paid.get("code"), result["result"], result["code"]) in {
            (None, "rejected", "bill_already_paid"),
            ("bill_void", "revised", None),
        }


def test_two_files_with_one_new_bill_issue_it_once(
    ledger: Ledger, database: BooksDatabase, home: Home
) -> None:
    for _ in range(ROUNDS):
        bill = line(home)
        answers = race(database, [issuing(bill), issuing(bill)])
        found = Counter(answer["data"]["lines"][0]["result"] for answer in answers)
        assert found == {"issued": 1, "already_present": 1}


def test_one_reference_for_two_apartments_at_once_goes_to_one_of_them(
    ledger: Ledger, database: BooksDatabase, home: Home
) -> None:
    other, reference = ledger.home(), str(uuid4())
    rivals = [issuing(line(place, provider_reference=reference)) for place in (home, other)]
    answers = race(database, rivals)
    found = Counter(answer["data"]["lines"][0]["result"] for answer in answers)
    assert found == {"issued": 1, "rejected": 1}


def test_a_payment_and_the_end_of_the_residency_have_an_order(
    ledger: Ledger, database: BooksDatabase
) -> None:
    for _ in range(ROUNDS):
        home = ledger.home()
        bills = ledger.bills(home, 100)
        paid, ended = race(database, [paying(home, bills), moving_out(home)])
        assert ended["status"] == "done"
        if paid["status"] == "done":
            assert paid["data"]["settled_at"] < ended["data"]["ended_at"]
        else:
            assert paid["code"] == "apartment_not_found"


def test_imports_over_many_apartments_and_payments_in_them_never_deadlock(
    ledger: Ledger, database: BooksDatabase
) -> None:
    homes = [ledger.home() for _ in range(4)]
    shuffle = random.Random(4)

    def import_often(connection: Connection) -> Answer:
        for _ in range(ROUNDS):
            lines = [line(home) for home in shuffle.sample(homes, len(homes))]
            _, run = issuing(*lines)
            run(connection)
        return {"status": "done"}

    def pay_often(connection: Connection) -> Answer:
        for number in range(ROUNDS * 4):
            home = homes[number % len(homes)]
            for bill in owed(connection, home):
                pay(connection, home, [bill])
        return {"status": "done"}

    def rename_often(connection: Connection) -> Answer:
        for number in range(ROUNDS):
            name = f"North Gas {number}"
            value(connection, "SELECT api.add_provider('northgas', %s)", name)
        return {"status": "done"}

    runners: list[Runner] = [
        ("operator", import_often),
        ("operator", import_often),
        ("writer", pay_often),
        ("writer", pay_often),
        ("operator", rename_often),
    ]
    assert outcomes(race(database, runners)) == {"done": 5}


def owed(connection: Connection, home: Home) -> list[str]:
    debts = value(connection, "SELECT api.open_debts(%s, %s)", home.subject, home.apartment)
    return [debt["bill_id"] for debt in debts["debts"]]


def test_a_reader_who_follows_by_position_misses_no_event_of_concurrent_writers(
    ledger: Ledger, database: BooksDatabase, home: Home
) -> None:
    """Lock, then stamp: an event never appears behind one that a reader has already seen."""
    writers, payments = 3, 15
    shares = [ledger.bills(home, *[100] * payments) for _ in range(writers)]

    def pay_share(number: int) -> Runner:
        def run(connection: Connection) -> list[Answer]:
            return [pay(connection, home, [bill]) for bill in shares[number]]

        return "writer", run

    def follow(connection: Connection) -> list[Answer]:
        seen: list[Answer] = []
        statement = "SELECT api.settled_history(%s, %s, 0, %s, %s, 1000)"
        while len(seen) < writers * payments:
            frame = ("2020-01-01Z", just_after(connection, seen)) if seen else (None, None)
            page = value(connection, statement, home.subject, home.apartment, *frame)
            seen += page["events"]
        return seen

    *_, seen = race(database, [*map(pay_share, range(writers)), ("reader", follow)])
    assert [event["seq"] for event in seen] == list(range(1, writers * payments + 1))
    instants = [event["posted_at"] for event in seen]
    assert all(earlier < later for earlier, later in pairwise(instants))


def just_after(connection: Connection, seen: list[Answer]) -> str:
    after: str = query(
        connection,
        "SELECT (%s::timestamptz + interval '1 microsecond')::text",
        seen[-1]["posted_at"],
    )[0][0]
    return after
