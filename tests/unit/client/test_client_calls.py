"""What the client's calls return."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from billing_client import (
    BillingClient,
    Money,
    Period,
    Provider,
    RequestRejected,
    UnexpectedAnswer,
)

from tests.support.billing_service import BillingService, Residency, small_parts
from tests.support.bills import a_debt
from tests.unit.client.conftest import MakeClient


def test_printed_values_show_no_tokens(client: BillingClient) -> None:
    session = client.session
    assert session is not None
    assert session.tokens.refresh_token not in f"{session!r} {session.login.tokens!r}"


def test_debts_are_values(client: BillingClient, apartment: Residency) -> None:
    dinars = a_debt(currency="KWD", amount_minor=1500, due_on=date(2026, 11, 16))
    apartment.owes(a_debt(due_on=date(2026, 11, 15)), dinars)
    debts = client.debts(apartment.apartment_id)
    debt = debts.debts[0]
    assert debt.amount == Money(5140, "EUR")
    assert debt.provider == Provider("north-gas", "North Gas")
    assert debt.period == Period(date(2026, 10, 1), date(2026, 10, 31))
    assert (debt.due_on, debt.days_overdue) == (date(2026, 11, 15), 7)
    assert debts.as_of == datetime(2026, 11, 22, tzinfo=UTC)
    assert debts.totals == (Money(5140, "EUR"), Money(1500, "KWD"))


@pytest.mark.parametrize("answer_times", [1, 2])
def test_an_answer_in_many_parts_is_complete_though_it_comes_twice(
    client: BillingClient, service: BillingService, apartment: Residency, answer_times: int
) -> None:
    issued = apartment.owes(*(a_debt(amount_minor=number) for number in range(1, 51)))
    service.queues.batch, service.queues.shuffle = 3, random.Random(7)
    service.answer_times = answer_times
    with small_parts(item_bytes=200):
        debts = client.debts(apartment.apartment_id)
    assert {debt.bill_id for debt in debts.debts} == set(issued)
    assert debts.totals == (Money(sum(range(1, 51)), "EUR"),)
    # Later calls take away what comes late.
    service.answer_times, service.queues.batch = 1, 10
    for _ in range(2):
        client.debts(apartment.apartment_id)
    assert service.queues.left() == []


def test_a_receipt_in_many_parts_is_complete(client: BillingClient, apartment: Residency) -> None:
    bills = apartment.owes(*(a_debt(amount_minor=number) for number in range(1, 51)))
    with small_parts():
        receipt = client.pay(apartment.apartment_id, bills)
    assert {line.bill_id for line in receipt.lines} == set(bills)
    assert receipt.total == Money(sum(range(1, 51)), "EUR")


def test_a_login_in_many_parts_has_all_apartments(
    client: BillingClient, service: BillingService, apartment: Residency
) -> None:
    for _ in range(20):
        home = service.ledger.new_apartment()
        service.ledger.grant_residency(subject=apartment.subject, apartment_id=home, since=None)
    with small_parts():
        assert len(client.login("ada", "secret").apartments) == 21
        assert len(client.refresh().apartments) == 21


def test_debts_that_differ_from_their_total_are_rejected(
    client: BillingClient, service: BillingService, apartment: Residency
) -> None:
    apartment.owes(a_debt())
    service.edit = lambda reply: {**reply, "data": {**reply["data"], "total_minor": 1}}
    with pytest.raises(UnexpectedAnswer, match="add up"):
        client.debts(apartment.apartment_id)


def test_a_changed_total_pays_nothing_and_the_error_has_the_new_one(
    client: BillingClient, apartment: Residency
) -> None:
    bills = apartment.owes(a_debt())
    with pytest.raises(RequestRejected) as caught:
        client.pay(apartment.apartment_id, bills, expected_total_minor=1)
    assert (caught.value.code, caught.value.details["total_minor"]) == ("total_changed", 5140)
    assert client.pending_payments.all() == ()
    assert apartment.events == []


class BriskClock:
    """Real time with short pauses."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 20)


def test_threads_share_a_client_and_each_gets_its_own_answer(make_client: MakeClient) -> None:
    service = BillingService(BriskClock())
    ada = service.add_resident("ada")
    apartments = [service.add_apartment(ada) for _ in range(8)]
    for number, apartment in enumerate(apartments, start=1):
        apartment.owes(a_debt(amount_minor=number), a_debt(amount_minor=number))
    client = make_client(service=service)
    client.login("ada", "secret")
    service.answer_seconds = 0.05
    with ThreadPoolExecutor(8) as threads, small_parts():
        answers = list(
            threads.map(lambda apartment: client.debts(apartment.apartment_id), apartments)
        )
    assert [answer.totals[0].minor for answer in answers] == [2 * n for n in range(1, 9)]
    assert service.queues.left() == []


def test_a_call_returns_in_time_while_another_thread_polls(make_client: MakeClient) -> None:
    service = BillingService(BriskClock())
    apartment = service.add_apartment(service.add_resident("ada"))
    client = make_client(service=service, timeout_seconds=1.0)
    client.login("ada", "secret")
    service.silent = {"histories"}
    with ThreadPoolExecutor(2) as threads:
        waiting = threads.submit(client.history, apartment.apartment_id)
        assert client.debts(apartment.apartment_id).debts == ()
        assert waiting.exception() is not None


def test_an_apartment_id_that_is_no_uuid_is_a_value_error(client: BillingClient) -> None:
    with pytest.raises(ValueError, match="badly formed"):
        client.debts("../payments")


@pytest.mark.parametrize("url", ["ftp://host", "127.0.0.1:8000", "http://a@b", "http://h?x=1"])
def test_an_invalid_address_is_a_value_error(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        BillingClient(url)
