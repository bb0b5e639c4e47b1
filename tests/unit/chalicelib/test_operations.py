"""Each operation hands the whole request on to its use case."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from billing_app.domain.bills import Provider
from billing_app.domain.errors import Rejection
from billing_app.domain.parts import to_json
from chalicelib.operations import OPERATIONS
from chalicelib.records import read_record
from tests.support.examples import a_debt
from tests.support.fakes import FakeDependencies, FakeLedger
from tests.support.records import a_record


class Payer:
    """A resident whose payments go through the operation, onto books in memory."""

    def __init__(self) -> None:
        self.ledger = FakeLedger()
        self.home = self.ledger.add_apartment()
        self.subject = self.ledger.add_resident("Ada", self.home)

    def bill(self) -> UUID:
        """Issue a bill of 51.40."""
        return self.ledger.issue(self.home, a_debt(amount_minor=5140))

    def pay(self, *bills: UUID, key: str | None = None, **body: Any) -> Any:
        """Pay, and return the receipt, which is in one part."""
        [receipt] = self.parts(*bills, key=key, **body)
        return receipt

    def parts(self, *bills: UUID, key: str | None = None, **body: Any) -> list[Any]:
        """Pay, and return the parts of the receipt."""
        content = {"bills_id": [str(bill) for bill in bills], **body}
        record = a_record(content, subject=self.subject, apartment=self.home, key=key)
        return OPERATIONS["payments"].run(read_record(record), FakeDependencies(self.ledger))


@pytest.fixture
def ada() -> Payer:
    return Payer()


def test_the_chosen_bills_are_paid_and_no_others(ada: Payer) -> None:
    chosen, left = ada.bill(), ada.bill()
    receipt = ada.pay(chosen, expected_total_minor=5140)
    assert [line["bill_id"] for line in receipt["lines"]] == [str(chosen)]
    assert set(ada.ledger.apartments[ada.home].open) == {left}


def test_another_total_than_the_resident_was_shown_is_not_paid(ada: Payer) -> None:
    bill = ada.bill()
    with pytest.raises(Rejection, match="total_changed"):
        ada.pay(bill, expected_total_minor=5139)
    assert set(ada.ledger.apartments[ada.home].open) == {bill}


def test_a_payment_is_known_by_the_key_of_the_client(ada: Payer) -> None:
    bill = ada.bill()
    assert ada.pay(bill, key="k") == ada.pay(bill, key="k")
    with pytest.raises(Rejection, match="bill_already_paid"):
        ada.pay(bill, key="another")


def test_the_receipt_of_a_thousand_bills_comes_in_parts_that_are_the_same_each_time(
    ada: Payer,
) -> None:
    wordy = Provider("wordy", "Ж" * 200)
    bills = [ada.ledger.issue(ada.home, a_debt(provider=wordy)) for _ in range(1000)]
    parts = ada.parts(*bills, key="k")
    assert len(parts) > 1
    assert max(len(to_json(part)) for part in parts) < 200_000
    lines = [line["bill_id"] for part in parts for line in part["lines"]]
    assert sorted(lines) == sorted(map(str, bills))
    whole = {(part["receipt_number"], part["total_minor"], part["settled_at"]) for part in parts}
    assert len(whole) == 1
    assert ada.parts(*bills, key="k") == parts
