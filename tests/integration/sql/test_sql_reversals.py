"""api.reverse_payment and api.void_bill."""

from __future__ import annotations

import pytest

from tests.support.ledger import Home, Ledger


@pytest.mark.parametrize("reason", ["", "  ", None])
def test_a_reversal_and_a_void_need_a_reason(ledger: Ledger, home: Home, reason: str) -> None:
    paid, open_ = ledger.bills(home, 100, 200)
    payment = ledger.pay(home, [paid])["data"]["payment_id"]
    assert ledger.reverse(payment, reason)["code"] == "reason_required"
    assert ledger.void(open_, reason)["code"] == "reason_required"
    assert ledger.open_bills(home) == {open_}
