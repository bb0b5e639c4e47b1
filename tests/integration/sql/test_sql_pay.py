"""api.pay: what it writes, what it rejects and in which order, and what it answers again."""

from __future__ import annotations

import re

import pytest

from tests.support.ledger import Home, Ledger, query


def test_receipt_numbers_name_the_year_and_are_unique(ledger: Ledger, home: Home) -> None:
    first, second = (ledger.pay(home, [bill])["data"] for bill in ledger.bills(home, 1, 2))
    assert re.fullmatch(r"R-20\d\d-\d{10}", first["receipt_number"])
    assert first["receipt_number"] != second["receipt_number"]


def test_a_repeated_key_gets_the_first_receipt_whatever_happened_since(
    ledger: Ledger, home: Home
) -> None:
    bills = ledger.bills(home, 100)
    answer = ledger.pay(home, bills, key="k")
    ledger.reverse(answer["data"]["payment_id"])
    ledger.provider(name="Another Name")
    assert ledger.pay(home, bills, key="k") == answer
    assert ledger.open_bills(home) == set(bills)
    ledger.end_residency(home)
    assert ledger.pay(home, bills, key="k") == answer


def test_a_rejection_is_its_code_and_data_without_a_message(ledger: Ledger, home: Home) -> None:
    ledger.pay(home, [], key="empty")
    stored = "SELECT rejection FROM billing.payment_requests WHERE request_key = 'empty'"
    [(rejection,)] = query(ledger.connection("owner"), stored)
    assert rejection == {"status": "rejected", "code": "invalid_request", "data": None}


@pytest.mark.parametrize("change", ["bills", "total", "apartment"])
def test_a_key_used_for_something_else_is_rejected(ledger: Ledger, home: Home, change: str) -> None:
    first, second = ledger.bills(home, 100, 100)
    elsewhere = Home(home.subject, ledger.apartment())
    ledger.grant(*elsewhere)
    done = ledger.pay(home, [first], key="k")
    again = {
        "bills": lambda: ledger.pay(home, [second], key="k"),
        "total": lambda: ledger.pay(home, [first], key="k", total=100),
        "apartment": lambda: ledger.pay(elsewhere, [first], key="k"),
    }[change]()
    assert again["code"] == "idempotency_key_reused"
    assert ledger.pay(home, [first], key="k") == done
