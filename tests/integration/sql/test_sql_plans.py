"""A resident's requests cost a few looks into indexes, whatever the size of the tables."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

from tests.support.databases import BooksDatabase
from tests.support.ledger import Home, query, value
from tests.support.plans import Trace, trace

APARTMENTS = 10_000
BILLS = APARTMENTS * 20
PLANTING = Path(__file__).with_name("plant_many_bills.sql")

# Catalogues of a few rows, read whole with good reason.
SMALL = frozenset({"providers", "utilities"})


@pytest.fixture(autouse=True)
def books_stay_right() -> None:
    """Leave it to a test of this module: the question reads all these tables whole."""


@pytest.fixture(scope="module")
def planted(database: BooksDatabase) -> Connection:
    """Two hundred thousand bills, a fifth of them open; constraints and triggers asleep."""
    admin = database.connect("admin")
    with admin.cursor() as cursor:
        cursor.execute(PLANTING.read_text(), {"apartments": APARTMENTS})
    return admin


@pytest.fixture(scope="module", params=["no statistics yet", "analyzed"])
def admin(request: pytest.FixtureRequest, planted: Connection) -> Connection:
    """Give the server's superuser, who alone may ask for plans, before and after ANALYZE."""
    if request.param == "analyzed":
        query(planted, "ANALYZE")
    return planted


@pytest.fixture
def home(admin: Connection) -> Home:
    """Give one of the many apartments, with four open bills and seventeen events."""
    found = query(
        admin,
        """
        SELECT r.subject, s.apartment_id FROM billing.apartment_state s
        JOIN billing.residencies USING (apartment_id) JOIN billing.residents r USING (resident_id)
        WHERE s.version = 21 ORDER BY s.apartment_id LIMIT 1
        """,
    )
    return Home(*found[0])


def warmed_up(admin: Connection, statement: str, *parameters: Any) -> Trace:
    """Trace the call once its plans are made for any parameters, as they are after five calls."""
    for _ in range(6):
        query(admin, statement, *parameters)
    return trace(admin, statement, *parameters)


def test_the_planted_books_are_many_and_right(planted: Connection) -> None:
    assert value(planted, "SELECT count(*) FROM billing.bills") == BILLS
    assert query(planted, "SELECT * FROM billing.billing_violations") == []


def test_debts_are_found_by_index(admin: Connection, home: Home) -> None:
    found = warmed_up(admin, "SELECT api.open_debts(%s, %s)", home.subject, home.apartment)
    assert found.scans_of_whole_tables(small=SMALL) == set()
    assert found.blocks < 100


@pytest.mark.parametrize("known", ["nothing", "all but the last"])
def test_history_is_found_by_index(admin: Connection, home: Home, known: str) -> None:
    frame = (None, None)
    if known == "all but the last":
        frame = query(
            admin,
            "SELECT min(posted_at), max(posted_at) FROM billing.history WHERE apartment_id = %s",
            home.apartment,
        )[0]
    found = warmed_up(
        admin,
        "SELECT api.settled_history(%s, %s, 0, %s, %s, 1000)",
        home.subject,
        home.apartment,
        *frame,
    )
    assert found.scans_of_whole_tables(small=SMALL) == set()
    assert found.blocks < (300 if known == "nothing" else 60)


def test_login_and_access_are_found_by_index(admin: Connection, home: Home) -> None:
    account = warmed_up(admin, "SELECT api.resident_account(%s)", home.subject)
    access = warmed_up(
        admin, "SELECT * FROM api.apartment_access(%s, %s)", home.subject, home.apartment
    )
    for found in (account, access):
        assert found.scans_of_whole_tables(small=SMALL) == set()
        assert found.blocks < 30


def open_bills(admin: Connection, home: Home) -> list[UUID]:
    statement = "SELECT bill_id FROM billing.open_bills WHERE apartment_id = %s ORDER BY bill_id"
    return [bill for (bill,) in query(admin, statement, home.apartment)]


PAY = "SELECT api.pay(%s, %s, %s, %s::uuid[])"
REVERSE = "SELECT api.reverse_payment(%s, 'paid twice', 'olga')"


def test_paying_touches_rows_by_index_rules_and_all(admin: Connection, home: Home) -> None:
    query(admin, "BEGIN")
    try:
        *several, last = open_bills(admin, home)
        for bill in several:
            query(admin, PAY, home.subject, str(uuid4()), home.apartment, [bill])
        paid = trace(admin, PAY, home.subject, str(uuid4()), home.apartment, [last])
        # The rules that wait for COMMIT are asked now, and for all of these payments.
        rules = trace(admin, "SET CONSTRAINTS ALL IMMEDIATE")
        query(admin, "SET CONSTRAINTS ALL DEFERRED")
        rejected = trace(admin, PAY, home.subject, str(uuid4()), home.apartment, [*several, last])
        payment = "SELECT payment_id FROM billing.settled_bills WHERE bill_id = %s"
        reversed_ = trace(admin, REVERSE, value(admin, payment, last))
    finally:
        query(admin, "ROLLBACK")
    for found in (paid, rules, rejected, reversed_):
        assert found.scans_of_whole_tables(small=SMALL) == set()
        assert found.blocks < 600


@pytest.mark.parametrize(
    ("drop", "statement"),
    [
        (
            "DROP INDEX billing.open_bills_of_an_apartment",
            "SELECT api.open_debts(%(subject)s, %(apartment)s)",
        ),
        (
            "ALTER TABLE billing.residents DROP CONSTRAINT resident_subject_is_unique",
            "SELECT api.resident_account(%(subject)s)",
        ),
        (
            "ALTER TABLE billing.history DROP CONSTRAINT history_pkey,"
            " DROP CONSTRAINT history_instant_is_unique",
            "SELECT api.settled_history(%(subject)s, %(apartment)s, 0, null, null, 9)",
        ),
    ],
    ids=["debts", "login", "history"],
)
def test_these_tests_notice_an_index_that_is_gone(
    admin: Connection, home: Home, drop: str, statement: str
) -> None:
    with admin.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            cursor.execute(drop)
            found = trace(admin, cursor.mogrify(statement, vars(home)).decode())
        finally:
            cursor.execute("ROLLBACK")
    assert found.scans_of_whole_tables(small=SMALL) != set()
