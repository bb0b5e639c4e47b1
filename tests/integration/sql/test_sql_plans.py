"""A resident's requests cost a few index lookups, whatever the size of the tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

from tests.support.databases import LedgerDatabase
from tests.support.ledger import Home, line, query, value
from tests.support.plans import Trace, trace

APARTMENTS = 10_000
BILLS = APARTMENTS * 20
INSERT_MANY = Path(__file__).with_name("insert_many_bills.sql")


@pytest.fixture(autouse=True)
def ledger_stays_consistent() -> None:
    """Leave it to a test of this module: the check reads all these tables whole."""


@pytest.fixture(scope="module")
def many_bills(database: LedgerDatabase) -> Connection:
    """Insert two hundred thousand bills, a fifth of them open."""
    admin = database.connect("admin")
    with admin.cursor() as cursor:
        cursor.execute(INSERT_MANY.read_text(), {"apartments": APARTMENTS})
    return admin


@pytest.fixture(scope="module", params=["no statistics yet", "analyzed"])
def admin(request: pytest.FixtureRequest, many_bills: Connection) -> Connection:
    """Give the server's superuser, who alone may read plans, before and after ANALYZE."""
    if request.param == "analyzed":
        query(many_bills, "ANALYZE")
    return many_bills


@pytest.fixture
def home(admin: Connection) -> Home:
    """Give one of the many apartments, with four open bills and seventeen events."""
    first = """
        SELECT r.subject, s.apartment_id FROM billing.apartment_state s
        JOIN billing.residencies USING (apartment_id) JOIN billing.residents r USING (resident_id)
        WHERE s.version = 21 ORDER BY s.apartment_id LIMIT 1
    """
    return Home(*query(admin, first)[0])


def warmed_up(admin: Connection, statement: str, *parameters: Any) -> Trace:
    """Trace the call once Postgres uses generic plans, as it does after five calls."""
    for _ in range(6):
        query(admin, statement, *parameters)
    return trace(admin, statement, *parameters)


def assert_cheap(found: Trace, *, blocks: int) -> None:
    assert found.scans_of_whole_tables() == set()
    assert found.blocks < blocks


def test_the_many_bills_are_consistent(many_bills: Connection) -> None:
    assert value(many_bills, "SELECT count(*) FROM billing.bills") == BILLS
    assert query(many_bills, "SELECT * FROM api.violations()") == []


def test_debts_login_and_access_are_found_by_index(admin: Connection, home: Home) -> None:
    assert_cheap(warmed_up(admin, "SELECT api.open_debts(%s, %s)", *home), blocks=150)
    account = warmed_up(admin, "SELECT api.resident_account(%s)", home.subject)
    assert_cheap(account, blocks=30)
    access = warmed_up(admin, "SELECT * FROM api.apartment_access(%s, %s)", *home)
    assert_cheap(access, blocks=30)


@pytest.mark.parametrize(("known", "blocks"), [("nothing", 300), ("all but the last", 60)])
def test_history_is_found_by_index(admin: Connection, home: Home, known: str, blocks: int) -> None:
    ends = "SELECT min(posted_at), max(posted_at) FROM billing.history WHERE apartment_id = %s"
    held = (None, None) if known == "nothing" else query(admin, ends, home.apartment)[0]
    read = "SELECT api.settled_history(%s, %s, 0, %s, %s, 1000)"
    assert_cheap(warmed_up(admin, read, *home, *held), blocks=blocks)


def test_paying_and_reversing_touch_rows_by_index(admin: Connection, home: Home) -> None:
    owed = "SELECT array_agg(bill_id::text) FROM billing.open_bills WHERE apartment_id = %s"
    pay = "SELECT api.pay(%s, %s, %s, %s::uuid[])"
    reverse = "SELECT api.reverse_payment(%s, 'paid twice', 'olga')"
    query(admin, "BEGIN")
    try:
        *several, last = value(admin, owed, home.apartment)
        for bill in several:
            query(admin, pay, home.subject, bill, home.apartment, [bill])
        paid = trace(admin, pay, home.subject, last, home.apartment, [last])
        # Run the rules that wait for COMMIT now, for all of these payments.
        rules = trace(admin, "SET CONSTRAINTS ALL IMMEDIATE")
        query(admin, "SET CONSTRAINTS ALL DEFERRED")
        rejected = trace(admin, pay, home.subject, "again", home.apartment, [*several, last])
        payment = "SELECT payment_id FROM billing.settled_bills WHERE bill_id = %s"
        reversed_ = trace(admin, reverse, value(admin, payment, last))
    finally:
        query(admin, "ROLLBACK")
    for found in (paid, rules, rejected, reversed_):
        assert_cheap(found, blocks=600)


@pytest.mark.parametrize("number", ["new", "00000000-0000-0000-0000-00000000001E"])
def test_a_line_of_an_import_looks_bills_up_by_index(
    admin: Connection, home: Home, number: str
) -> None:
    batch = {
        "import_id": str(home.subject),
        "file_name": "bills.csv",
        "sha256": "1" * 64,
        "lines": [line(home, provider_reference=number)],
    }
    query(admin, "BEGIN")
    try:
        found = trace(admin, "SELECT api.issue_bills(%s)", json.dumps(batch))
    finally:
        query(admin, "ROLLBACK")
    # There is one import.
    assert {table for table, _ in found.scans_of_whole_tables()} <= {"imports"}


@pytest.mark.parametrize(
    ("drop", "call"),
    [
        ("DROP INDEX billing.open_bills_of_an_apartment", "open_debts(%s, %s)"),
        ("ALTER TABLE billing.residents DROP CONSTRAINT resident_subject_is_unique",
         "apartment_access(%s, %s)"),
        (("ALTER TABLE billing.history DROP CONSTRAINT history_pkey,"
         " DROP CONSTRAINT history_instant_is_unique"),
         "settled_history(%s, %s, 0, null, null, 9)"),
    ],
    ids=["debts", "access", "history"],
)  # fmt: skip
def test_these_tests_notice_a_missing_index(
    admin: Connection, home: Home, drop: str, call: str
) -> None:
    query(admin, "BEGIN")
    try:
        query(admin, drop)
        found = trace(admin, f"SELECT api.{call}", *home)
    finally:
        query(admin, "ROLLBACK")
    assert found.scans_of_whole_tables() != set()


@pytest.mark.parametrize("kind", ["all", "changed"])
def test_a_page_of_the_check_reads_its_apartments_by_index(admin: Connection, kind: str) -> None:
    # A ledger that has been there for a night has statistics.
    query(admin, "UPDATE billing.apartment_checks SET agrees = false WHERE agrees; ANALYZE")
    for first in (1, APARTMENTS // 2):
        page = trace(admin, "SELECT api.check_apartments(%s, %s, 10)", kind, UUID(int=first))
        scanned = {table for table, _ in page.scans_of_whole_tables()}
        # The others have a row or less per apartment here, and their plans may go either way.
        assert scanned & {"bills", "payments", "payment_lines", "history", "open_bills"} == set()
        # For each of twenty bills about fifty: some twenty rows that hang on it, found by index.
        assert page.blocks < 10 * 20 * 80
    assert value(admin, "SELECT count(*) FROM billing.apartment_checks WHERE agrees") == 20
