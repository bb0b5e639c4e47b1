"""After a move: the command pays what one owes, and shows what somebody else does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from billing_app.domain.bills import Period
from tests.support.billing_service import BillingService, Residency
from tests.support.bills import a_debt
from tests.unit.client.billing_runs import Billing

LAST_YEAR = Period(date(2025, 11, 1), date(2025, 11, 30))
OLD = replace(a_debt(amount_minor=9900), period=LAST_YEAR, bill_id=UUID("abcd" + "1" * 28))
OWN = a_debt(amount_minor=5140)


@pytest.fixture
def sold(service: BillingService, apartment: Residency) -> Residency:
    """The apartment, which was Zoe's until Ada came, with a debt of each."""
    apartment.follows(service.add_resident("zoe"))
    apartment.owes(OLD, OWN)
    return apartment


def test_who_moved_in_pays_their_own_bills_and_sees_whose_the_others_are(
    logged_in: Billing, sold: Residency
) -> None:
    found = logged_in.json("debts")
    assert found["totals"] == [{"total_minor": 5140, "currency": "EUR"}]
    shown = [(one["bill_id"], one["owed_by"]) for one in found["former_residents_debts"]]
    assert shown == [(str(OLD.bill_id), "former_resident")]
    assert "owed by somebody who lived there before you" in logged_in.ok("debts")
    rejected = logged_in.run("pay", "--bill", "abcd", "--yes")
    assert rejected.exit_code == 3
    assert "somebody who lived there before" in rejected.output
    logged_in.ok("pay", "--all", "--yes")
    assert [event.bill.bill_id for event in sold.events] == [OWN.bill_id]
    assert "Nothing is owed." in logged_in.ok("pay", "--all", "--yes")


def test_who_moved_out_pays_what_is_left_and_keeps_the_receipt(
    billing: Billing, service: BillingService, sold: Residency
) -> None:
    home = service.add_apartment(service.identity.users["zoe"][1])
    assert f"{sold.apartment_id[:4]} street (former)" in billing.login("zoe")
    assert billing.json("debts")["apartment_id"] == home.apartment_id
    former = ["--apartment", sold.apartment_id]
    assert [one["bill_id"] for one in billing.json("debts", *former)["debts"]] == [str(OLD.bill_id)]
    billing.ok("pay", "--all", "--yes", *former)
    history = billing.json("history", *former)
    assert [event["bill_id"] for event in history["events"]] == [str(OLD.bill_id)]
    assert billing.json("debts", *former)["debts"] == []
