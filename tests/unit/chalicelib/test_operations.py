"""Each operation hands the whole request on to its use case."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from billing_app.domain.bills import Provider
from billing_app.domain.errors import Rejection
from chalicelib.operations import OPERATIONS
from chalicelib.records import read_record
from tests.support.examples import Resident
from tests.support.records import a_record


def parts(ada: Resident, *bills: UUID, key: str | None = None, **body: Any) -> list[str]:
    """Pay, and return the parts of the receipt."""
    content = {"bills_id": [str(bill) for bill in bills], **body}
    record = a_record(content, subject=ada.subject, apartment=ada.home, key=key)
    return OPERATIONS["payments"].run(read_record(record), ada.needs)


def paid(ada: Resident, *bills: UUID, **more: Any) -> Any:
    """Pay, and return the receipt, which is in one part."""
    [receipt] = parts(ada, *bills, **more)
    return json.loads(receipt)


@pytest.fixture
def ada() -> Resident:
    return Resident()


def test_the_chosen_bills_are_paid_and_no_others(ada: Resident) -> None:
    chosen, left = ada.bill(), ada.bill()
    receipt = paid(ada, chosen, expected_total_minor=5140)
    assert [line["bill_id"] for line in receipt["lines"]] == [str(chosen)]
    assert set(ada.ledger.apartments[ada.home].open) == {left}


def test_another_total_than_the_resident_was_shown_is_not_paid(ada: Resident) -> None:
    bill = ada.bill()
    with pytest.raises(Rejection, match="total_changed"):
        paid(ada, bill, expected_total_minor=5139)
    assert set(ada.ledger.apartments[ada.home].open) == {bill}


def test_a_payment_is_known_by_the_key_of_the_client(ada: Resident) -> None:
    bill = ada.bill()
    assert paid(ada, bill, key="k") == paid(ada, bill, key="k")
    with pytest.raises(Rejection, match="bill_already_paid"):
        paid(ada, bill, key="another")


def test_the_receipt_of_a_thousand_bills_comes_in_parts_that_are_the_same_each_time(
    ada: Resident,
) -> None:
    wordy = Provider("wordy", "Ж" * 200)
    bills = [ada.bill(provider=wordy) for _ in range(1000)]
    texts = parts(ada, *bills, key="k")
    assert len(texts) > 1
    assert max(map(len, texts)) < 200_000
    receipts = [json.loads(text) for text in texts]
    lines = [line["bill_id"] for receipt in receipts for line in receipt["lines"]]
    assert sorted(lines) == sorted(map(str, bills))
    assert len({(one["receipt_number"], one["total_minor"]) for one in receipts}) == 1
    assert parts(ada, *bills, key="k") == texts
