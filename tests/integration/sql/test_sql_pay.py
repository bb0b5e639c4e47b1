"""api.pay: what it writes."""

from __future__ import annotations

from tests.support.ledger import Home, Ledger, query


def test_a_rejection_is_its_code_and_data_without_a_message(ledger: Ledger, home: Home) -> None:
    ledger.pay(home, [], key="empty")
    stored = "SELECT rejection FROM billing.payment_requests WHERE request_key = 'empty'"
    [(rejection,)] = query(ledger.connection("owner"), stored)
    assert rejection == {"status": "rejected", "code": "invalid_request", "data": None}
