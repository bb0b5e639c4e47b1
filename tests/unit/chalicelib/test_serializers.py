"""Answers as the contract writes them, in parts that each fit a queue message."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from billing_app.domain.bills import Provider
from chalicelib import paging
from chalicelib.operations import OPERATIONS
from chalicelib.records import read_record
from tests.support.examples import Resident
from tests.support.records import a_record

WORDY = Provider("wordy", "Ж" * 200)


def parts(ada: Resident, operation: str, **body: Any) -> list[Any]:
    ada.needs.clock.now = datetime(2026, 2, 4, 12, tzinfo=UTC)
    record = a_record(body, subject=ada.subject, apartment=ada.home)
    texts = OPERATIONS[operation].run(read_record(record), ada.needs)
    assert all(len(text) <= paging.PART_MAX_BYTES for text in texts)
    return [json.loads(text) for text in texts]


def history(ada: Resident, **held: Any) -> list[Any]:
    return parts(ada, "histories", **{"date_down": None, "date_up": None, **held})


def test_debts_are_written_with_totals_and_the_days_that_they_are_overdue() -> None:
    ada = Resident()
    bill = ada.bill(amount_minor=5140)
    gas = {"bills": 1, "total_minor": 5140, "currency": "EUR"}
    provider = {"provider_id": "north-gas", "name": "North Gas"}
    period = {"from": "2026-01-01", "to": "2026-01-28"}
    assert parts(ada, "utils") == [
        {
            "apartment_id": str(ada.home),
            "version": 2,
            "as_of": "2026-02-04T12:00:00.000000Z",
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
                }
            ],
        }
    ]


def test_without_debts_there_is_a_total_of_zero() -> None:
    [part] = parts(Resident(), "utils")
    assert (part["debts"], part["total_minor"], part["currency"]) == ([], 0, None)


def test_different_currencies_are_never_added() -> None:
    ada = Resident()
    ada.bill(currency="EUR", amount_minor=5)
    ada.bill(currency="JPY", amount_minor=700)
    [part] = parts(ada, "utils")
    assert (part["total_minor"], part["currency"]) == (None, None)
    sums = {(total["currency"], total["total_minor"]) for total in part["by_currency"]}
    assert sums == {("EUR", 5), ("JPY", 700)}


def test_a_receipt_and_a_settled_debt_name_the_provider_of_that_time() -> None:
    ada = Resident()
    bill = ada.bill()
    [receipt] = parts(ada, "payments", bills_id=[str(bill)])
    line = {
        "bill_id": str(bill),
        "utility": "gas",
        "provider": "North Gas",
        "provider_id": "north-gas",
        "period": {"from": "2026-01-01", "to": "2026-01-28"},
        "amount_minor": 5140,
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
    assert (part["apartment_id"], part["version"], part["more"]) == (str(ada.home), 3, False)


def test_many_debts_go_out_in_parts_that_each_have_the_totals() -> None:
    ada = Resident()
    issued = {ada.bill(provider=WORDY) for _ in range(500)}
    found = parts(ada, "utils")
    assert len(found) > 1
    assert {UUID(debt["bill_id"]) for part in found for debt in part["debts"]} == issued
    assert {part["total_minor"] for part in found} == {500 * 5140}


def test_a_client_that_loses_any_part_of_a_history_goes_on_from_the_part_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(paging, "PART_MAX_BYTES", 2_000)
    ada = Resident()
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


def test_the_last_part_says_that_there_is_more_to_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing_app.use_cases.history.PAGE_EVENTS", 1)
    ada = Resident()
    ada.pay(ada.bill(), ada.bill())
    [first] = history(ada)
    [second] = history(ada, cursor=first["cursor"])
    assert (first["more"], second["more"]) == (True, False)
