"""api.pay: what it writes, what it rejects and in which order, and what it answers again."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from tests.support.ledger import Home, Ledger, query


def test_a_payment_settles_the_chosen_bills_and_leaves_the_others_owed(
    ledger: Ledger, home: Home
) -> None:
    chosen, left = ledger.bills(home, 5140, 300)
    before = ledger.version(home)
    answer = ledger.pay(home, [chosen])
    data = answer["data"]
    assert answer["status"] == "done"
    assert (data["status"], data["total_minor"], data["currency"]) == ("settled", 5140, "EUR")
    assert data["lines"] == [
        {
            "bill_id": chosen,
            "utility": "gas",
            "provider": {"provider_id": "northgas", "name": "North Gas"},
            "period": {"from": "2026-10-01", "to": "2026-10-31"},
            "amount_minor": 5140,
        }
    ]
    assert ledger.open_bills(home) == {left}
    assert ledger.version(home) == before + 1


def test_receipt_numbers_name_the_year_and_are_unique(ledger: Ledger, home: Home) -> None:
    first, second = (ledger.pay(home, [bill])["data"] for bill in ledger.bills(home, 1, 2))
    assert re.fullmatch(r"R-20\d\d-\d{10}", first["receipt_number"])
    assert first["receipt_number"] != second["receipt_number"]


def test_order_and_repetition_of_bills_mean_nothing(ledger: Ledger, home: Home) -> None:
    first, second = ledger.bills(home, 100, 200)
    answer = ledger.pay(home, [second, first, second], key="k", total=300)
    assert answer["data"]["total_minor"] == 300
    assert ledger.pay(home, [first, second], key="k", total=300) == answer


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


def test_a_stored_rejection_is_repeated_though_its_cause_is_gone(
    ledger: Ledger, home: Home
) -> None:
    bills = ledger.bills(home, 100)
    payment = ledger.pay(home, bills)["data"]["payment_id"]
    rejection = ledger.pay(home, bills, key="k")
    ledger.reverse(payment)
    assert rejection["code"] == "bill_already_paid"
    assert ledger.pay(home, bills, key="k") == rejection


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


def test_two_residents_may_use_the_same_key(ledger: Ledger, home: Home) -> None:
    for payer in (home, ledger.home()):
        bill = ledger.bill(payer)
        assert ledger.pay(payer, [bill], key="k")["data"]["lines"][0]["bill_id"] == bill


def test_a_subject_who_is_no_resident_is_rejected_and_nothing_is_stored(
    ledger: Ledger, home: Home
) -> None:
    stranger = Home(uuid4(), home.apartment)
    answer = ledger.pay(stranger, ledger.bills(home, 100), key="stranger's")
    assert answer["code"] == "apartment_not_found"
    kept = "SELECT * FROM billing.payment_requests WHERE request_key = %s"
    assert query(ledger.connection("owner"), kept, "stranger's") == []


def test_apartments_of_others_unknown_former_and_future_ones_read_alike(
    ledger: Ledger, home: Home
) -> None:
    former, future = (Home(home.subject, ledger.apartment()) for _ in range(2))
    ledger.grant(*former)
    ledger.end_residency(former)
    ledger.grant(*future, since="2999-01-01T00:00:00Z")
    foreign, unknown = Home(home.subject, ledger.home().apartment), Home(home.subject, uuid4())
    rejected = [ledger.pay(place, [uuid4()]) for place in (foreign, unknown, former, future)]
    assert rejected[0]["code"] == "apartment_not_found"
    assert all(answer == rejected[0] for answer in rejected)


def test_a_bill_of_another_apartment_is_not_found(ledger: Ledger, home: Home) -> None:
    """Alone: as many open bills are found as were asked for, only not in this apartment."""
    neighbour = ledger.home()
    foreign = ledger.bill(neighbour)
    assert ledger.pay(home, [foreign])["code"] == "bill_not_found"
    assert ledger.open_bills(neighbour) == {foreign}


def test_the_first_rejection_that_applies_is_returned_and_changes_nothing(
    ledger: Ledger, home: Home
) -> None:
    paid, void, euros, dollars = (
        ledger.bill(home, currency=currency) for currency in ("EUR", "EUR", "EUR", "USD")
    )
    replaced = ledger.bill(home, provider_reference=paid, amount_minor=5)
    ledger.bill(home, provider_reference=paid, amount_minor=6)
    ledger.pay(home, [paid])
    ledger.void(void)
    lost = sorted([ledger.bill(ledger.home()), str(uuid4())])
    wanted = [*lost, void, replaced, paid, dollars, euros]
    before = ledger.debts(home)
    answers = [ledger.pay(home, wanted[first:], total=1) for first in (0, 2, 4, 5, 6)]
    assert [(answer["code"], answer["data"]) for answer in answers] == [
        ("bill_not_found", {"bills": lost}),
        ("bill_void", {"bills": sorted([void, replaced])}),
        ("bill_already_paid", {"bills": [paid]}),
        ("currency_mixed", {"currencies": ["EUR", "USD"]}),
        ("total_changed", {"total_minor": 5140, "expected_total_minor": 1}),
    ]
    assert ledger.debts(home) == before
