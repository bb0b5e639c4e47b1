"""Each operation does what was asked, and answers as the contract says, in parts that fit SQS."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from billing_app.domain.bills import Provider
from billing_app.domain.errors import Rejection
from billing_app.ports.identity import Tokens
from billing_app.ports.ledger import Account, Apartment
from billing_app.use_cases.login import Session
from chalicelib import replies
from chalicelib.operations import OPERATIONS, PAYMENT_LIFETIME
from chalicelib.records import read_record
from tests.support.fakes import Resident
from tests.support.records import a_record

WORDY = Provider("wordy", "Ж" * 200)


@pytest.fixture
def ada() -> Resident:
    return Resident()


def parts(
    ada: Resident,
    operation: str,
    *,
    key: str | None = None,
    waited: timedelta = timedelta(0),
    **body: Any,
) -> list[Any]:
    """Ask, and return the parts of the answer."""
    now = ada.needs.clock.now = datetime(2026, 2, 4, 12, tzinfo=UTC)
    who: dict[str, Any] = {"subject": ada.subject, "apartment": ada.home, "key": key}
    record = a_record(body, **who, requested_at=now - waited)
    texts = OPERATIONS[operation].run(read_record(record), ada.needs)
    assert all(len(text) <= replies.PART_MAX_BYTES for text in texts)
    return [json.loads(text) for text in texts]


def paid(ada: Resident, *bills: UUID, **more: Any) -> Any:
    """Pay, and return the receipt, which is in one part."""
    [receipt] = parts(ada, "payments", bills_id=list(map(str, bills)), **more)
    return receipt


def history(ada: Resident, **held: Any) -> list[Any]:
    return parts(ada, "histories", **{"date_down": None, "date_up": None, **held})


def test_debts_are_written_with_totals_and_the_days_that_they_are_overdue(ada: Resident) -> None:
    bill = ada.bill(due_on=date(2026, 1, 28))
    gas = {"bills": 1, "total_minor": 5140, "currency": "EUR"}
    provider = {"provider_id": "north-gas", "name": "North Gas"}
    period = {"from": "2026-10-01", "to": "2026-10-31"}
    assert parts(ada, "utils") == [
        {
            "apartment_id": str(ada.home),
            "version": 3,
            "as_of": "2026-02-04T12:00:00.000000Z",
            "today": "2026-02-04",
            "time_zone": "UTC",
            "currency": "EUR",
            "total_minor": 5140,
            "by_utility": [{"utility": "gas", **gas}],
            "by_provider": [{"provider": provider, **gas}],
            "by_period": [{"period": period, **gas}],
            "by_currency": [gas],
            "debts": [
                {
                    "bill_id": str(bill),
                    "utility": "gas",
                    "provider": provider,
                    "period": period,
                    "due_on": "2026-01-28",
                    "days_overdue": 7,
                    "amount_minor": 5140,
                    "currency": "EUR",
                    "owed_by": "you",
                }
            ],
            "former_residents_debts": [],
        }
    ]


def test_totals_are_by_utility_provider_and_period(ada: Resident) -> None:
    for month in (1, 2):
        ada.bill(month=month, amount_minor=1000)
    ada.bill(utility="water", provider=Provider("w", "W"), month=1, amount_minor=50)
    [part] = parts(ada, "utils")
    totals = {name: [one["total_minor"] for one in part[name]] for name in part if "by_" in name}
    assert totals == {
        "by_utility": [2000, 50],
        "by_provider": [2000, 50],
        "by_period": [1050, 1000],
        "by_currency": [2050],
    }
    assert [one["bills"] for one in part["by_utility"]] == [2, 1]


def test_without_debts_there_is_a_total_of_zero(ada: Resident) -> None:
    [part] = parts(ada, "utils")
    assert (part["debts"], part["total_minor"], part["currency"]) == ([], 0, None)


def test_different_currencies_are_never_added(ada: Resident) -> None:
    ada.bill(currency="EUR", amount_minor=5)
    ada.bill(currency="JPY", amount_minor=700)
    [part] = parts(ada, "utils")
    assert (part["total_minor"], part["currency"]) == (None, None)
    sums = {(total["currency"], total["total_minor"]) for total in part["by_currency"]}
    assert sums == {("EUR", 5), ("JPY", 700)}


def test_a_receipt_and_a_settled_debt_name_the_provider_of_that_time(ada: Resident) -> None:
    bill = ada.bill()
    receipt = paid(ada, bill)
    line = {
        "bill_id": str(bill),
        "utility": "gas",
        "provider": "North Gas",
        "provider_id": "north-gas",
        "period": {"from": "2026-10-01", "to": "2026-10-31"},
        "amount_minor": 5140,
        "currency": "EUR",
    }
    payment_id = str(next(iter(ada.ledger.payments)))
    payment = {
        "payment_id": payment_id,
        "receipt_number": "R-2026-0000000001",
        "settled_at": "2026-01-01T00:00:00.000000Z",
        "currency": "EUR",
    }
    assert receipt == {**payment, "status": "settled", "total_minor": 5140, "lines": [line]}
    [part] = history(ada)
    posted = {"event": "payment", "posted_at": "2026-01-01T00:00:00.000000Z"}
    assert part["settled_debts"] == [{**line, **payment, **posted}]
    assert part["covered"] == {
        "date_down": "2026-01-01T00:00:00.000000Z",
        "date_up": "2026-01-01T00:00:00.000001Z",
    }
    assert (part["apartment_id"], part["version"], part["more"]) == (str(ada.home), 4, False)


@pytest.mark.parametrize("asked", [timedelta(0), timedelta(minutes=89), PAYMENT_LIFETIME])
def test_a_payment_that_waited_too_long_is_not_made(ada: Resident, asked: timedelta) -> None:
    """At the client, or as when a dead letter of last week is put back."""
    bill, seconds = ada.bill(), int(asked.total_seconds())
    in_time, late = PAYMENT_LIFETIME - asked, PAYMENT_LIFETIME - asked + timedelta(seconds=1)
    with pytest.raises(Rejection, match="request_expired"):
        paid(ada, bill, waited=late, key="late", asked_seconds_ago=seconds)
    receipt = paid(ada, bill, waited=in_time, key="in time", asked_seconds_ago=seconds)
    assert receipt["total_minor"] == 5140


def test_a_clock_behind_that_of_the_gateway_makes_no_payment_younger(ada: Resident) -> None:
    late = int(PAYMENT_LIFETIME.total_seconds()) + 1
    with pytest.raises(Rejection, match="request_expired"):
        paid(ada, ada.bill(), waited=timedelta(minutes=-5), asked_seconds_ago=late)


def test_many_debts_go_out_in_parts_that_each_have_the_totals(ada: Resident) -> None:
    issued = {ada.bill(provider=WORDY) for _ in range(500)}
    found = parts(ada, "utils")
    assert len(found) > 1
    assert {UUID(debt["bill_id"]) for part in found for debt in part["debts"]} == issued
    assert {part["total_minor"] for part in found} == {500 * 5140}


def test_any_number_of_groups_and_apartments_fits_into_parts(ada: Resident) -> None:
    for n in range(500):
        ada.bill(provider=Provider(f"p{n}", "Ж" * 200), month=n % 12 + 1, amount_minor=n + 1)
    for part in parts(ada, "utils"):
        assert (part["by_provider"], len(part["by_period"])) == (None, 12)
        assert part["total_minor"] == sum(range(501))
    homes = tuple(Apartment(uuid4(), "Ж" * 500) for _ in range(400))
    texts = replies.session_parts(Session(Account("Ada", homes), Tokens("i", "a", "r", 900)))
    assert max(map(len, texts)) <= replies.PART_MAX_BYTES
    sent = [one["apartment_id"] for text in texts for one in json.loads(text)["apartments"]]
    assert sent == [str(home.apartment_id) for home in homes]


def test_a_client_that_loses_any_part_of_a_history_goes_on_from_the_part_before(
    ada: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "PART_MAX_BYTES", 2_000)
    ada.pay(*(ada.bill() for _ in range(6)))
    found = history(ada)
    assert len(found) > 2
    assert [part["more"] for part in found] == [*[True] * (len(found) - 1), False]
    assert sum(len(part["settled_debts"]) for part in found) == 6
    for taken, part in enumerate(found, start=1):
        rest = found[taken:] or [{**part, "settled_debts": []}]
        sent = [debt for part in rest for debt in part["settled_debts"]]
        for held in ({"cursor": part["cursor"]}, part["covered"]):
            got = history(ada, **held)
            assert [debt for part in got for debt in part["settled_debts"]] == sent
            assert got[-1]["covered"] == found[-1]["covered"]


def test_the_last_part_says_that_there_is_more_to_ask_for(
    ada: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing_app.use_cases.history.PAGE_EVENTS", 1)
    ada.pay(ada.bill(), ada.bill())
    [first] = history(ada)
    [second] = history(ada, cursor=first["cursor"])
    assert (first["more"], second["more"]) == (True, False)


def test_another_total_than_the_resident_was_shown_is_not_paid(ada: Resident) -> None:
    bill = ada.bill()
    with pytest.raises(Rejection, match="total_changed"):
        paid(ada, bill, expected_total_minor=5139)
    assert [one.bill_id for one in ada.ledger.bills_in("open")] == [bill]


def test_the_receipt_of_a_thousand_bills_comes_in_parts_that_are_the_same_each_time(
    ada: Resident,
) -> None:
    bills = [str(ada.bill(provider=WORDY)) for _ in range(1000)]
    receipts = parts(ada, "payments", bills_id=bills, key="k")
    assert len(receipts) > 1
    assert sorted(line["bill_id"] for one in receipts for line in one["lines"]) == sorted(bills)
    assert len({(one["receipt_number"], one["total_minor"]) for one in receipts}) == 1
    assert parts(ada, "payments", bills_id=bills, key="k") == receipts


def test_a_cursor_counts_whatever_frame_stands_beside_it(ada: Resident) -> None:
    ada.pay()
    [part] = history(ada)
    frame = {"date_down": "2025-01-01T00:00:00Z", "date_up": "2025-01-02T00:00:00Z"}
    assert history(ada, cursor=part["cursor"], **frame)[0]["settled_debts"] == []
