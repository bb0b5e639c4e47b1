"""api.reverse_payment and api.void_bill."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.support.ledger import Home, Ledger


def test_a_reversal_reopens_the_bills_and_is_a_new_event_per_line(
    ledger: Ledger, home: Home
) -> None:
    bills = ledger.bills(home, 100, 200)
    receipt = ledger.pay(home, bills)["data"]
    before = ledger.version(home)
    reversal = ledger.reverse(receipt["payment_id"])["data"]
    same = ("payment_id", "receipt_number", "total_minor", "currency")
    assert [reversal[name] for name in same] == [receipt[name] for name in same]
    assert reversal["bills"] == sorted(bills)
    assert ledger.open_bills(home) == set(bills)
    assert ledger.version(home) == before + 1
    events = ledger.history(home)["events"]
    assert [event["bill_id"] for event in events[:2]] == [event["bill_id"] for event in events[2:]]
    kinds = [(one["event"], one["settled_at"], one["receipt_number"]) for one in events]
    number = receipt["receipt_number"]
    assert kinds[:2] == [("payment", receipt["settled_at"], number)] * 2
    assert kinds[2:] == [("reversal", reversal["reversed_at"], number)] * 2


def test_a_payment_is_reversed_once_and_its_bill_can_be_paid_again(
    ledger: Ledger, home: Home
) -> None:
    bills = ledger.bills(home, 100)
    first = ledger.pay(home, bills)["data"]["payment_id"]
    assert ledger.pay(home, bills)["code"] == "bill_already_paid"
    reversal = ledger.reverse(first)["data"]["reversal_id"]
    second = ledger.pay(home, bills)["data"]["payment_id"]
    again = ledger.reverse(first)
    assert (again["status"], again["code"]) == ("rejected", "payment_already_reversed")
    assert again["data"]["reversal_id"] == reversal
    assert ledger.reverse(second)["status"] == "done"
    events = [event["event"] for event in ledger.history(home)["events"]]
    assert events == ["payment", "reversal", "payment", "reversal"]


def test_an_unknown_payment_is_not_found(ledger: Ledger) -> None:
    assert ledger.reverse(str(uuid4()))["code"] == "payment_not_found"


@pytest.mark.parametrize("reason", ["", "  ", None])
def test_a_reversal_and_a_void_need_a_reason(ledger: Ledger, home: Home, reason: str) -> None:
    paid, open_ = ledger.bills(home, 100, 200)
    payment = ledger.pay(home, [paid])["data"]["payment_id"]
    assert ledger.reverse(payment, reason)["code"] == "reason_required"
    assert ledger.void(open_, reason)["code"] == "reason_required"
    assert ledger.open_bills(home) == {open_}


def test_only_an_open_bill_can_be_voided_and_is_then_no_longer_owed(
    ledger: Ledger, home: Home
) -> None:
    void, paid, left = ledger.bills(home, 100, 200, 300)
    replaced = ledger.bill(home, provider_reference=void, amount_minor=1)
    revised = ledger.bill(home, provider_reference=void, amount_minor=2)
    ledger.pay(home, [paid])
    before = ledger.version(home)
    assert ledger.void(void)["data"]["bill_id"] == void
    codes = [ledger.void(bill)["code"] for bill in (void, replaced, paid, str(uuid4()))]
    assert codes == ["bill_void", "bill_void", "bill_already_paid", "bill_not_found"]
    assert ledger.open_bills(home) == {left, revised}
    assert ledger.version(home) == before + 1
