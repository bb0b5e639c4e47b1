"""The checks find what got past constraints and triggers, here switched off."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.integration.sql.damage import DAMAGE
from tests.support.databases import Server
from tests.support.ledger import Ledger, query, value

ALL_AT_ONCE = "SELECT rule, subject, detail FROM api.violations()"
IN_PAGES = """
    WITH RECURSIVE page AS (
        SELECT api.check_apartments(NULL, '00000000-0000-0000-0000-000000000000', 1) AS found
        UNION ALL
        SELECT api.check_apartments(NULL, (found ->> 'next')::uuid, 1) FROM page
        WHERE found ->> 'next' IS NOT NULL
    )
    SELECT v ->> 'rule', v ->> 'subject', v ->> 'detail'
    FROM page, jsonb_array_elements(found -> 'violations') v
"""


@pytest.fixture(scope="module")
def ledger(postgres_server: Server) -> Iterator[Ledger]:
    """Give open, paid, reversed, void, reinstated and replaced bills, in a database of their own.

    Beside them are an apartment where nothing happened, and a resident who never had one.
    """
    with postgres_server.database() as database:
        ledger = Ledger(database)
        ledger.resident("Stranger")
        ledger.home()
        home = ledger.home()
        ledger.pay(home, ledger.bills(home, 1, 2, 3))
        ledger.reverse(ledger.pay(home, ledger.bills(home, 4), total=4)["data"]["payment_id"])
        ledger.void(ledger.bill(home))
        taken_back = ledger.bill(home, 7)
        ledger.void(taken_back)
        ledger.reinstate(taken_back)
        ledger.bill(home, 8, provider_reference="owed")
        for amount in (5, 6):
            ledger.bill(home, provider_reference="replaced", amount_minor=amount)
        query(ledger.connection("operator"), IN_PAGES)
        yield ledger


@pytest.mark.parametrize("question", [ALL_AT_ONCE, IN_PAGES], ids=["at once", "in pages"])
def test_a_consistent_ledger_has_no_violation(ledger: Ledger, question: str) -> None:
    assert query(ledger.connection("operator"), question) == []


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found(ledger: Ledger, damage: str) -> None:
    statement, broken = DAMAGE[damage]
    found = ledger.after_damage(statement, ALL_AT_ONCE)
    assert {rule for rule, _, _ in found} == broken
    assert all(subject and detail for _, subject, detail in found)
    # The next check finds it, too: the first has not taken it for right.
    again = ledger.after_damage(f"{statement}; {IN_PAGES}", IN_PAGES)
    assert sorted(again) == sorted(found)


def test_two_kinds_of_damage_are_both_found(ledger: Ledger) -> None:
    first, second = DAMAGE["a request's fingerprint is changed"], DAMAGE["a void is lost"]
    both = f"{first.statement}; {second.statement}"
    found = ledger.after_damage(both, IN_PAGES)
    assert {rule for rule, _, _ in found} == first.rules | second.rules


def test_every_rule_of_the_view_has_its_damage(ledger: Ledger) -> None:
    rules: set[str] = set()
    for part in ("apartment", "bill", "payment", "history"):
        view = f"SELECT pg_get_viewdef('billing.{part}_violations')"
        definition = value(ledger.connection("admin"), view)
        rules |= set(re.findall(r"SELECT '(\w+_\w+)'", definition))
    assert rules == set().union(*(damage.rules for damage in DAMAGE.values()))
