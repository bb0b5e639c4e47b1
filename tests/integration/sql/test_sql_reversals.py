"""api.reverse_payment and api.void_bill: what operators can take back."""

from uuid import uuid4

import pytest

from tests.support.books import Books, Home


@pytest.fixture
def home(books: Books) -> Home:
    return books.home()


def test_a_reversed_payment_makes_its_bills_owed_again(books: Books, home: Home) -> None:
    bills = books.bills(home, 100, 200)
    receipt = books.pay(home, bills)["data"]
    before = books.version(home)
    data = books.reverse(receipt["payment_id"])["data"]
    assert data["payment_id"] == receipt["payment_id"]
    assert data["receipt_number"] == receipt["receipt_number"]
    assert (data["total_minor"], data["currency"], data["bills"]) == (300, "EUR", sorted(bills))
    assert books.open_bills(home) == set(bills)
    assert books.version(home) == before + 1


def test_a_reversal_is_a_new_event_per_line(books: Books, home: Home) -> None:
    payment = books.pay(home, books.bills(home, 100, 200))["data"]
    reversal = books.reverse(payment["payment_id"])["data"]
    paid, taken_back = books.history(home)["events"][:2], books.history(home)["events"][2:]
    assert {event["event"] for event in taken_back} == {"reversal"}
    assert [e["bill_id"] for e in taken_back] == [e["bill_id"] for e in paid]
    assert {event["settled_at"] for event in paid} == {payment["settled_at"]}
    assert {event["settled_at"] for event in taken_back} == {reversal["reversed_at"]}
    assert {event["receipt_number"] for event in taken_back} == {payment["receipt_number"]}


def test_a_payment_is_reversed_once(books: Books, home: Home) -> None:
    payment = books.pay(home, books.bills(home, 100))["data"]["payment_id"]
    first = books.reverse(payment)["data"]
    again = books.reverse(payment)
    assert (again["status"], again["code"]) == ("rejected", "payment_already_reversed")
    assert again["data"]["reversal_id"] == first["reversal_id"]


def test_a_bill_paid_again_after_a_reversal_has_its_own_payment(books: Books, home: Home) -> None:
    bills = books.bills(home, 100)
    first = books.pay(home, bills)["data"]["payment_id"]
    books.reverse(first)
    second = books.pay(home, bills)["data"]["payment_id"]
    assert books.reverse(first)["code"] == "payment_already_reversed"
    assert books.reverse(second)["status"] == "done"
    events = [event["event"] for event in books.history(home)["events"]]
    assert events == ["payment", "reversal", "payment", "reversal"]


def test_an_unknown_payment_is_not_found(books: Books) -> None:
    assert books.reverse(str(uuid4()))["code"] == "payment_not_found"


@pytest.mark.parametrize("reason", ["", "  ", None])
def test_nothing_is_taken_back_without_a_reason(books: Books, home: Home, reason: str) -> None:
    paid, open_ = books.bills(home, 100, 200)
    payment = books.pay(home, [paid])["data"]["payment_id"]
    assert books.reverse(payment, reason)["code"] == "reason_required"
    assert books.void(open_, reason)["code"] == "reason_required"
    assert books.open_bills(home) == {open_}


def test_a_void_bill_is_no_longer_owed(books: Books, home: Home) -> None:
    void, left = books.bills(home, 100, 200)
    before = books.version(home)
    assert books.void(void)["data"]["bill_id"] == void
    assert books.open_bills(home) == {left}
    assert books.version(home) == before + 1


def test_a_bill_that_is_void_replaced_paid_or_unknown_can_not_be_made_void(
    books: Books, home: Home
) -> None:
    void, paid = books.bills(home, 100, 200)
    replaced = books.bill(home, provider_reference=f"{void} replaced", amount_minor=1)
    books.bill(home, provider_reference=f"{void} replaced", amount_minor=2)
    books.void(void)
    books.pay(home, [paid])
    before = books.version(home)
    codes = [books.void(bill)["code"] for bill in (void, replaced, paid, str(uuid4()))]
    assert codes == ["bill_void", "bill_void", "bill_already_paid", "bill_not_found"]
    assert books.version(home) == before
