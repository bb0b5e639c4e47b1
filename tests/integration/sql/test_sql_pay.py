"""api.pay: what it writes."""

from __future__ import annotations

import re

from tests.support.ledger import Home, Ledger, query


def test_receipt_numbers_name_the_year_and_are_unique(ledger: Ledger, home: Home) -> None:
    first, second = (ledger.pay(home, [bill])["data"] for bill in ledger.bills(home, 1, 2))
    assert re.fullmatch(r"R-20\d\d-\d{10}", first["receipt_number"])
    assert first["receipt_number"] != second["receipt_number"]


def test_a_rejection_is_its_code_and_data_without_a_message(ledger: Ledger, home: Home) -> None:
    ledger.pay(home, [], key="empty")
    stored = "SELECT rejection FROM billing.payment_requests WHERE request_key = 'empty'"
    [(rejection,)] = query(ledger.connection("owner"), stored)
    assert rejection == {"status": "rejected", "code": "invalid_request", "data": None}
