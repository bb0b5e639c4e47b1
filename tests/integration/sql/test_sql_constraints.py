"""Each rule of the ledger rejects what breaks it, whoever asks; and no rule is without a case."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import psycopg2
import pytest

from tests.integration.sql.broken_rules import CASES, Case
from tests.support.ledger import Ledger, query, value

RULES = """
    SELECT conname FROM pg_constraint
    WHERE connamespace = 'billing'::regnamespace AND contype IN ('c', 'f', 'p', 'u', 'x')
    UNION
    SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'billing'::regnamespace AND NOT t.tgisinternal
    UNION
    SELECT indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = 'billing'::regnamespace AND i.indisunique AND i.indpred IS NOT NULL
"""

# Unique keys that contain a primary key exist only for foreign keys to refer to: the primary key
# breaks first.
WIDENED_KEYS = """
    SELECT wide.conname FROM pg_constraint wide
    JOIN pg_constraint narrow ON narrow.conrelid = wide.conrelid
    WHERE wide.connamespace = 'billing'::regnamespace
        AND wide.contype = 'u' AND narrow.contype = 'p' AND wide.conkey @> narrow.conkey
"""

# What each query must return: nothing, or these names.
SHAPE = {
    "a foreign key that cascades": ("""
        SELECT conname FROM pg_constraint
        WHERE connamespace = 'billing'::regnamespace AND contype = 'f' AND confdeltype <> 'r'
        """, set()),
    "a table, view or public function without a comment": ("""
        SELECT oid::regclass::text FROM pg_class
        WHERE relnamespace = 'billing'::regnamespace AND relkind IN ('r', 'v', 'S')
            AND obj_description(oid, 'pg_class') IS NULL
        UNION ALL
        SELECT oid::regprocedure::text FROM pg_proc
        WHERE pronamespace = 'api'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL
        """, set()),
    "a column that may be null": ("""
        SELECT c.relname || '.' || a.attname
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'billing'::regnamespace AND c.relkind = 'r'
            AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.attnotnull
        """, {
            "apartment_state.last_posted_at", "residencies.ended_at", "bills.replaces",
            "payment_requests.payment_id", "payment_requests.rejection",
            "payment_requests.requested_at", "reply_queues.subject",
            "reply_queues.claimed_until",
        }),
}  # fmt: skip


@pytest.fixture(scope="module")
def env(ledger: Ledger) -> dict[str, Any]:
    """An apartment with a bill in each state, and a history of three events."""
    home, other = ledger.home(), ledger.home()
    paid = ledger.bill(home, amount_minor=200, provider_reference="paid")
    open_, void, reversed_ = ledger.bills(home, 100, 300, 400)
    replaced = ledger.bill(home, amount_minor=500, provider_reference="twice")
    ledger.bill(home, amount_minor=501, provider_reference="twice")
    ledger.void(void)
    once = ledger.bill(home, provider_reference="once")
    reinstated = ledger.bill(home, provider_reference="reinstated")
    ledger.void(reinstated)
    ledger.reinstate(reinstated, allow_duplicates=True)
    payment = ledger.pay(home, [paid], key="known")["data"]
    reversed_payment = ledger.pay(home, [reversed_])["data"]["payment_id"]
    ledger.reverse(reversed_payment)
    ledger.ask("writer", "register_reply_queue", "known", None, "1 hour")
    ledger.ask("operator", "check_apartments", "all", UUID(int=0), 10_000)
    resident = "SELECT resident_id FROM billing.residents WHERE subject = %s"
    return {
        "subject": home.subject,
        "resident": value(ledger.connection("owner"), resident, home.subject),
        "apartment": home.apartment,
        "other_apartment": other.apartment,
        "stateless": uuid4(),
        "open": open_,
        "paid": paid,
        "void": void,
        "once": once,
        "reinstated": reinstated,
        "replaced": replaced,
        "reversed": reversed_,
        "payment": payment["payment_id"],
        "receipt": payment["receipt_number"],
        "reversed_payment": reversed_payment,
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{CASES.index(case)}")
def test_a_broken_rule_is_rejected_by_its_name(
    ledger: Ledger, env: dict[str, Any], case: Case
) -> None:
    with ledger.connection("owner").cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            # An apartment that has no state row yet, for the rules of that row.
            cursor.execute(
                "INSERT INTO billing.apartments (apartment_id, address)"
                " VALUES (%(stateless)s, 'for a moment')",
                env,
            )
            with pytest.raises(psycopg2.IntegrityError) as rejected:
                cursor.execute(case.statement, env)
        finally:
            cursor.execute("ROLLBACK")
    assert rejected.value.diag.constraint_name == case.rule


def test_every_rule_of_the_schema_has_a_case(ledger: Ledger) -> None:
    owner = ledger.connection("owner")
    rules = {name.removeprefix("billing.") for (name,) in query(owner, RULES)}
    widened = {name for (name,) in query(owner, WIDENED_KEYS)}
    assert rules - widened == {case.rule for case in CASES}


@pytest.mark.parametrize("found", SHAPE)
def test_the_schema_has_no_other_than_these(ledger: Ledger, found: str) -> None:
    statement, expected = SHAPE[found]
    assert {name for (name,) in query(ledger.connection("owner"), statement)} == expected
