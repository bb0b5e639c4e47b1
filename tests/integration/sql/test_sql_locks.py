"""Two transactions that meet at an apartment's lock, one step at a time.

The races of test_sql_races.py find out whether anything goes wrong; here each order is forced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

from tests.support.api import wait_until
from tests.support.ledger import Answer, Home, Ledger, line, query, value

Act = Callable[[Ledger, Home, str], Answer]

LOCK = "SELECT billing.lock_apartments(%s::uuid[])"


@contextmanager
def holding(ledger: Ledger, statement: str, *parameters: Any) -> Iterator[Connection]:
    """Hold the locks that a statement takes until the block ends; then commit."""
    with closing(ledger.database.login("owner").connect()) as holder:
        query(holder, "BEGIN")
        query(holder, statement, *parameters)
        try:
            yield holder
        finally:
            query(holder, "COMMIT")


def wait_until_one_waits(ledger: Ledger) -> None:
    waiting = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
    """
    with closing(ledger.database.login("admin").connect()) as admin:
        wait_until(lambda: value(admin, waiting), "somebody who waits for the lock")


def blocked(
    ledger: Ledger,
    role: str,
    act: Callable[[Ledger], Answer],
    *,
    by: tuple[Any, ...],
    meanwhile: Callable[[Ledger], Answer],
) -> tuple[Answer, Answer]:
    """Start `act` while a statement's locks are held, and once it waits, run `meanwhile`.

    Returns what `act` and `meanwhile` returned.
    """
    with ThreadPoolExecutor(1) as pool, closing(ledger.database.login(role).connect()) as waiter:
        with holding(ledger, *by) as holder:
            acting = pool.submit(act, ledger.on(waiter))
            wait_until_one_waits(ledger)
            done = meanwhile(ledger.on(holder))
        return acting.result(timeout=10), done


def clock(holder: Ledger) -> Answer:
    return value(holder.connection("owner"), "SELECT billing.instant(clock_timestamp())")


def test_a_payment_that_waited_is_stamped_once_it_has_the_lock(ledger: Ledger, home: Home) -> None:
    """Stamped when it began, it would lie before what others did to the apartment meanwhile."""
    bill = ledger.bill(home)
    paid, other = blocked(
        ledger, "writer", lambda one: one.pay(home, [bill]), by=(LOCK, [home.apartment]),
        meanwhile=clock,
    )  # fmt: skip
    assert paid["data"]["settled_at"] > other


def test_a_reversal_that_waited_is_stamped_once_it_has_the_lock(ledger: Ledger, home: Home) -> None:
    payment = ledger.pay(home, [ledger.bill(home)])["data"]["payment_id"]
    reversal, other = blocked(
        ledger, "operator", lambda one: one.reverse(payment), by=(LOCK, [home.apartment]),
        meanwhile=clock,
    )  # fmt: skip
    assert reversal["data"]["reversed_at"] > other


def test_a_void_that_waited_for_a_reversal_is_stamped_after_it(ledger: Ledger, home: Home) -> None:
    bill = ledger.bill(home)
    payment = ledger.pay(home, [bill])["data"]["payment_id"]
    voided, reversal = blocked(
        ledger, "operator", lambda one: one.void(bill), by=(LOCK, [home.apartment]),
        meanwhile=lambda holder: holder.reverse(payment),
    )  # fmt: skip
    assert voided["data"]["voided_at"] > reversal["data"]["reversed_at"]


def test_the_same_request_again_waits_for_the_answer_to_the_first(
    ledger: Ledger, home: Home
) -> None:
    bills = ledger.bills(home, 100, 200)
    paying = "SELECT api.pay(%s, 'key', %s, %s::uuid[])"
    second, _ = blocked(
        ledger, "writer", lambda one: one.pay(home, bills[::-1], key="key"),
        by=(paying, home.subject, home.apartment, bills), meanwhile=clock,
    )  # fmt: skip
    assert second["status"] == "done"
    assert second == ledger.pay(home, bills, key="key")


def pay(ledger: Ledger, home: Home, bill: str) -> Answer:
    return ledger.pay(home, [bill])


def void(ledger: Ledger, _home: Home, bill: str) -> Answer:
    return ledger.void(bill)


def move_out(ledger: Ledger, home: Home, _bill: str) -> Answer:
    return ledger.end_residency(home)


@pytest.mark.parametrize(
    ("role", "act", "meanwhile", "code"),
    [
        ("operator", void, pay, "bill_already_paid"),
        ("operator", void, void, "bill_void"),
        ("writer", pay, move_out, "bill_not_found"),
        ("operator", move_out, move_out, "residency_not_found"),
    ],
)
def test_who_waited_sees_what_was_done_meanwhile(
    ledger: Ledger, home: Home, role: str, act: Act, meanwhile: Act, code: str
) -> None:
    # Of a period that is yet to begin: who leaves before it doesn't owe it.
    bill = ledger.bill(home, period_from="2999-01-01", period_to="2999-01-31")
    rejected, done = blocked(
        ledger, role, lambda one: act(one, home, bill), by=(LOCK, [home.apartment]),
        meanwhile=lambda one: meanwhile(one, home, bill),
    )  # fmt: skip
    assert (rejected["code"], done["status"]) == (code, "done")


def test_apartments_are_locked_in_the_order_of_their_ids(ledger: Ledger) -> None:
    """In whatever order they are named or stored: who waits for the first holds no later one."""
    ids = sorted(ledger.apartment() for _ in range(12))
    # An updated row is stored behind the others: the first id is now stored last.
    store_last = "UPDATE billing.apartment_state SET version = version + 1 WHERE apartment_id = %s"
    query(ledger.connection("owner"), store_last, ids[0])

    def lock_backwards(waiter: Ledger) -> None:
        # Force the plan that reads the table as it is stored, as for a large table.
        settings = "SET enable_indexscan = off; SET enable_bitmapscan = off; "
        query(waiter.connection("owner"), settings + LOCK, ids[::-1])

    later = "SELECT FROM billing.apartment_state WHERE apartment_id = ANY (%s) FOR UPDATE NOWAIT"
    blocked(
        ledger, "owner", lock_backwards, by=(LOCK, ids[:1]),
        meanwhile=lambda holder: query(holder.connection("owner"), later, ids[1:]),
    )  # fmt: skip


def test_a_page_of_history_and_its_head_come_from_one_snapshot(ledger: Ledger, home: Home) -> None:
    """The reader is held up between head and events, and somebody pays meanwhile."""
    first, second = ledger.bills(home, 1, 2)
    ledger.pay(home, [first])
    page, _ = blocked(
        ledger, "reader", lambda reader: reader.history(home),
        # Only reading the events needs this table; a payment does not.
        by=("LOCK TABLE billing.reversals IN ACCESS EXCLUSIVE MODE",),
        meanwhile=lambda _: ledger.pay(home, [second]),
    )  # fmt: skip
    assert page["last_posted_at"] == page["events"][-1]["posted_at"]
    assert [event["seq"] for event in page["events"]] == [1]


def importing(_ledger: Ledger, home: Home) -> Callable[[Ledger], Answer]:
    return lambda operator: operator.issue([line(home)])


def reversing(ledger: Ledger, home: Home) -> Callable[[Ledger], Answer]:
    payment_id = ledger.pay(home, [ledger.bill(home)])["data"]["payment_id"]
    return lambda operator: operator.reverse(payment_id)


def reinstating(ledger: Ledger, home: Home) -> Callable[[Ledger], Answer]:
    bill = ledger.bill(home)
    ledger.void(bill)
    return lambda operator: operator.reinstate(bill)


@pytest.mark.parametrize("opening", [importing, reversing, reinstating])
def test_a_rename_and_the_opening_of_a_bill_take_turns(
    ledger: Ledger, home: Home, opening: Callable[[Ledger, Home], Callable[[Ledger], Answer]]
) -> None:
    """No version of the debts has two answers."""
    rename = "SELECT api.add_provider('northgas', 'Another Gas')"
    _, before = blocked(
        ledger, "operator", opening(ledger, home), by=(rename,),
        meanwhile=lambda _: ledger.debts(home),
    )  # fmt: skip
    after = ledger.debts(home)
    assert after["debts"][0]["provider"]["name"] == "Another Gas"
    assert before["version"] < after["version"]
