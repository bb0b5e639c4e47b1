"""What two transactions do that meet at an apartment's lock, one step at a time.

The races of test_sql_races.py find out whether anything goes wrong; here each order is forced.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

from tests.support.databases import BooksDatabase
from tests.support.ledger import Answer, Home, Ledger, pay, query, value

# A statement and its parameters.
Lock = tuple[Any, ...]
LOCK = "SELECT billing.lock_apartments(%s::uuid[])"


def of(*apartments: UUID) -> Lock:
    """Return the lock of apartments."""
    return LOCK, list(apartments)


@pytest.fixture
def home(ledger: Ledger) -> Home:
    return ledger.home()


@contextmanager
def holding(database: BooksDatabase, lock: Lock) -> Iterator[Connection]:
    """Hold a lock, an apartment's or what a statement takes, until the block ends; then commit."""
    with closing(database.login("owner").connect()) as holder:
        query(holder, "BEGIN")
        query(holder, *lock)
        try:
            yield holder
        finally:
            query(holder, "COMMIT")


def wait_until_one_waits(database: BooksDatabase) -> None:
    """Wait until somebody in this database waits for a lock."""
    waiting = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
    """
    deadline = time.monotonic() + 10
    with closing(database.login("admin").connect()) as admin:
        while value(admin, waiting) == 0:
            assert time.monotonic() < deadline, "nobody waits for the lock"


def meanwhile(
    database: BooksDatabase, lock: Lock, role: str, act: Callable[[Connection], Answer]
) -> Callable[[Callable[[Connection], object]], Answer]:
    """Start `act` while the lock is held; do something; then let `act` go on."""

    def then(do: Callable[[Connection], object]) -> Answer:
        connection = database.login(role).connect()
        with ThreadPoolExecutor(1) as pool, closing(connection):
            with holding(database, lock) as holder:
                acting: Future[Answer] = pool.submit(act, connection)
                wait_until_one_waits(database)
                do(holder)
            return acting.result(timeout=10)

    return then


def test_a_payment_that_waited_is_stamped_when_its_turn_has_come(
    ledger: Ledger, database: BooksDatabase, home: Home
) -> None:
    """Stamped when it began, it would lie before what others did to the apartment meanwhile."""
    bill, turns = ledger.bill(home), []
    paid = meanwhile(
        database, of(home.apartment), "writer", lambda connection: pay(connection, home, [bill])
    )(lambda holder: turns.append(value(holder, "SELECT billing.instant(clock_timestamp())")))
    assert paid["data"]["settled_at"] > turns[0]


def test_a_void_that_waited_is_stamped_when_its_turn_has_come(
    ledger: Ledger, database: BooksDatabase, home: Home
) -> None:
    """A reversal that it waited for lies before it."""
    bill = ledger.bill(home)
    payment = ledger.pay(home, [bill])["data"]["payment_id"]
    turns = []

    def void(connection: Connection) -> Answer:
        answer: Answer = value(connection, "SELECT api.void_bill(%s, 'in error', 'olga')", bill)
        return answer

    def reverse(holder: Connection) -> None:
        reversal = value(holder, "SELECT api.reverse_payment(%s, 'twice', 'olga')", payment)
        turns.append(reversal["data"]["reversed_at"])

    voided = meanwhile(database, of(home.apartment), "operator", void)(reverse)
    assert voided["data"]["voided_at"] > turns[0]


def test_a_bill_that_was_paid_while_its_void_waited_is_paid(
    ledger: Ledger, database: BooksDatabase, home: Home
) -> None:
    bill = ledger.bill(home)

    def void(connection: Connection) -> Answer:
        answer: Answer = value(connection, "SELECT api.void_bill(%s, 'in error', 'olga')", bill)
        return answer

    rejected = meanwhile(database, of(home.apartment), "operator", void)(
        lambda holder: pay(holder, home, [bill])
    )
    assert rejected["code"] == "bill_already_paid"


def test_a_payment_that_waited_while_the_resident_moved_out_is_rejected(
    ledger: Ledger, database: BooksDatabase, home: Home
) -> None:
    bill = ledger.bill(home)

    def move_out(holder: Connection) -> None:
        query(holder, "SELECT api.end_residency(%s, %s)", home.subject, home.apartment)

    rejected = meanwhile(
        database, of(home.apartment), "writer", lambda connection: pay(connection, home, [bill])
    )(move_out)
    assert rejected["code"] == "apartment_not_found"


def test_a_residency_ends_once(ledger: Ledger, database: BooksDatabase, home: Home) -> None:
    statement = "SELECT api.end_residency(%s, %s)"

    def move_out(connection: Connection) -> Answer:
        answer: Answer = value(connection, statement, home.subject, home.apartment)
        return answer

    later = meanwhile(database, of(home.apartment), "operator", move_out)(move_out)
    assert later["code"] == "residency_not_found"


def test_apartments_are_locked_in_the_order_of_their_ids(
    ledger: Ledger, database: BooksDatabase
) -> None:
    """In whatever order they are named or stored: who waits for the first holds no later one."""
    ids = sorted(ledger.apartment() for _ in range(12))

    def lock_backwards(connection: Connection) -> Answer:
        # The plan that reads the table as it is stored, as for a table of any size some day.
        query(connection, "SET enable_indexscan = off")
        query(connection, "SET enable_bitmapscan = off")
        query(connection, LOCK, ids[::-1])
        return {}

    def look(holder: Connection) -> None:
        later = (
            "SELECT FROM billing.apartment_state WHERE apartment_id = ANY (%s) FOR UPDATE NOWAIT"
        )
        query(holder, later, ids[1:])

    meanwhile(database, of(ids[0]), "owner", lock_backwards)(look)


def test_a_page_of_history_and_its_head_are_of_one_moment(
    ledger: Ledger, database: BooksDatabase, home: Home
) -> None:
    """The reader is held up between head and events, and somebody pays meanwhile."""
    first, second = ledger.bills(home, 1, 2)
    ledger.pay(home, [first])

    def read(connection: Connection) -> Answer:
        statement = "SELECT api.settled_history(%s, %s, 0, null, null, 10)"
        page: Answer = value(connection, statement, home.subject, home.apartment)
        return page

    # Only the events ask for reversals, and a payment doesn't.
    table = "LOCK TABLE billing.reversals IN ACCESS EXCLUSIVE MODE"
    page = meanwhile(database, (table,), "reader", read)(lambda _: ledger.pay(home, [second]))
    assert (page["last_seq"], [event["seq"] for event in page["events"]]) == (1, [1])


def test_a_lock_that_is_not_given_in_time_is_told(
    ledger: Ledger, database: BooksDatabase, home: Home
) -> None:
    bill = ledger.bill(home)
    with holding(database, of(home.apartment)):
        writer = database.connect("writer")
        query(writer, "SET lock_timeout = '50ms'")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            pay(writer, home, [bill])
    assert ledger.open_bills(home) == {bill}
