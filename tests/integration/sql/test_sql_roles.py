"""The application's roles execute the functions that are theirs, and can do nothing else."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace

import psycopg2
import pytest
from psycopg2 import errors

from billing_app.adapters import ledger as ledger_adapter
from billing_app.ports.operator_ledger import BillIssuer, OperatorLedger
from tests.support.databases import LedgerDatabase
from tests.support.ledger import Ledger, query

# What the code for residents and the sweeper calls.
WRITER = {*re.findall(r"api\.(\w+)\(", inspect.getsource(ledger_adapter)), "violations"}
NOT_FOR_READERS = {
    "expired_reply_queues", "violations",
}  # fmt: skip
# A function for each method that operators' code can call.
OPERATOR = {name for name in (*vars(OperatorLedger), *vars(BillIssuer)) if name[0] != "_"}
OPERATOR |= {"violations"}

EXECUTABLE = """
    SELECT pronamespace::regnamespace::text, proname FROM pg_proc
    WHERE pronamespace IN ('billing'::regnamespace, 'api'::regnamespace)
        AND has_function_privilege(%s, oid, 'EXECUTE')
"""

RELATIONS = """
    SELECT format('%%I.%%I', relnamespace::regnamespace, relname) FROM pg_class
    WHERE relnamespace IN ('billing'::regnamespace, 'api'::regnamespace,
            'billing_migrations'::regnamespace)
        AND relkind IN ('r', 'v', 'm', 'S', 'p', 'f')
        AND has_table_privilege(%s, oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES')
"""

CHANGES_NOTHING = """
    SELECT proname FROM pg_proc WHERE pronamespace = 'api'::regnamespace AND provolatile = 's'
"""

roles = pytest.mark.parametrize("role", ["reader", "writer", "operator"])


@roles
def test_a_role_executes_its_functions_and_no_others(ledger: Ledger, role: str) -> None:
    executable = query(ledger.connection("owner"), EXECUTABLE, f"billing_{role}")
    stable = {name for (name,) in query(ledger.connection("owner"), CHANGES_NOTHING)}
    allowed = {
        "reader": (WRITER & stable - NOT_FOR_READERS) | {"register_reply_queue"},
        "writer": WRITER,
        "operator": OPERATOR,
    }
    assert set(executable) == {("api", name) for name in allowed[role]}


@roles
def test_a_role_has_no_right_to_any_table(ledger: Ledger, role: str) -> None:
    assert query(ledger.connection("owner"), RELATIONS, f"billing_{role}") == []


@roles
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM billing.bills",
        "SELECT * FROM billing.billing_violations",
        "DELETE FROM billing.open_bills",
        "SELECT billing.bump_version(gen_random_uuid())",
        "SELECT nextval('billing.receipt_numbers')",
        "CREATE TABLE api.mine (id int)",
        "CREATE FUNCTION api.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE ROLE mine",
        "SET ROLE billing_migrator",
    ],
)
def test_a_role_can_do_nothing_else(ledger: Ledger, role: str, statement: str) -> None:
    with pytest.raises((errors.InsufficientPrivilege, errors.InvalidParameterValue)):
        query(ledger.connection(role), statement)


def test_every_public_function_is_owned_by_the_migrator_and_fixes_its_search_path(
    ledger: Ledger, database: LedgerDatabase
) -> None:
    lax = """
        SELECT proname FROM pg_proc
        WHERE pronamespace = 'api'::regnamespace AND NOT (
            prosecdef
            AND proowner = %s::regrole
            -- Without any setting this is null, which NOT would leave so.
            AND coalesce('search_path=billing, pg_temp' = ANY (proconfig), false)
        )
    """
    assert query(ledger.connection("owner"), lax, database.owner.username) == []


def test_a_role_logs_in_with_its_password_only(database: LedgerDatabase) -> None:
    with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
        replace(database.login("writer"), password="wrong").connect()


def test_functions_whose_rules_wait_for_commit_have_their_owners_rights(ledger: Ledger) -> None:
    """Before Postgres 18 they run as the role that logged in."""
    lax = """
        SELECT DISTINCT p.proname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE t.tginitdeferred AND NOT p.prosecdef AND p.pronamespace = 'billing'::regnamespace
    """
    assert query(ledger.connection("owner"), lax) == []
