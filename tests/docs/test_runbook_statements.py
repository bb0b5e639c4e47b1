"""The runbook's statements do what it says, on a ledger with a payment."""

from __future__ import annotations

import re

from tests.support.documents import ROOT, blocks_of
from tests.support.ledger import Ledger, query

STATEMENTS = [block.text for block in blocks_of(ROOT / "docs" / "runbook.md", "sql")]


def test_payments_that_a_restore_loses_are_listed_with_their_receipts(ledger: Ledger) -> None:
    home = ledger.home()
    receipt = ledger.pay(home, ledger.bills(home, 100, 200))["data"]
    [statement] = [text for text in STATEMENTS if "billing.history" in text]
    early = re.sub(r"'\d{4}-\d\d-\d\dT[^']+'", "'2020-01-01T00:00:00Z'", statement)
    rows = query(ledger.connection("owner"), early)
    assert sorted((row[0], row[1], row[3], row[4]) for row in rows) == [
        (home.apartment, "payment", receipt["receipt_number"], amount) for amount in (100, 200)
    ]


def test_a_resident_without_a_name_keeps_the_ledger_right(ledger: Ledger) -> None:
    home = ledger.home()
    ledger.pay(home, ledger.bills(home, 100))
    [statement] = [text for text in STATEMENTS if "UPDATE" in text]
    for_this_one = re.sub(r"'0{8}-[0-]+'", f"'{home.subject}'", statement)
    query(ledger.connection("owner"), for_this_one)
    assert ledger.ask("reader", "resident_account", home.subject)["name"] == "removed"
    assert ledger.violations() == []
