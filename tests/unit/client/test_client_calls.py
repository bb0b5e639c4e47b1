"""What the client's calls return, over HTTP."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from billing_client import (
    BillingClient,
    HistoryState,
    Money,
    NotLoggedIn,
    Period,
    Provider,
    RequestRejected,
    ServiceFailed,
    UnexpectedAnswer,
)

from tests.support.fake_api import FakeApi
from tests.support.fake_ledger import FakeApartment, FakeUser, bill, month
from tests.unit.client.conftest import MakeClient


def test_a_login_gives_the_resident_and_their_apartments(
    make_client: MakeClient, flat: FakeApartment
) -> None:
    login = make_client().login("ada", "secret")
    assert login.resident_name == "Ada"
    assert [a.apartment_id for a in login.apartments] == [flat.apartment_id]
    assert login.tokens.expires_in_seconds == 3600


def test_a_wrong_password_is_rejected_with_its_code(client: BillingClient) -> None:
    with pytest.raises(RequestRejected) as caught:
        client.login("ada", "wrong")
    assert caught.value.code == "invalid_credentials"


def test_a_new_password_is_set_where_one_is_demanded(
    make_client: MakeClient, ada: FakeUser, flat: FakeApartment
) -> None:
    ada.needs_new_password = True
    client = make_client()
    with pytest.raises(RequestRejected, match="new_password_required"):
        client.login("ada", "secret")
    client.login("ada", "secret", "better")
    assert ada.password == "better"
    assert client.session is not None


def test_tokens_stay_out_of_what_is_printed(client: BillingClient) -> None:
    session = client.session
    assert session is not None
    assert session.tokens.refresh_token not in f"{session!r} {session.login.tokens!r}"


def test_without_a_login_every_call_says_so(make_client: MakeClient, flat: FakeApartment) -> None:
    with pytest.raises(NotLoggedIn):
        make_client().debts(flat.apartment_id)


def test_after_a_logout_the_session_is_gone(client: BillingClient) -> None:
    client.logout()
    assert client.session is None
    with pytest.raises(NotLoggedIn):
        _ = client.apartments


def test_debts_are_values(client: BillingClient, flat: FakeApartment) -> None:
    flat.debts = [bill(days_overdue=7)]
    debts = client.debts(flat.apartment_id)
    (debt,) = debts.debts
    assert debt.amount == Money(5140, "EUR")
    assert debt.provider == Provider("north-gas", "North Gas")
    assert debt.period == Period(date(2026, 10, 1), date(2026, 10, 31))
    assert (debt.due_on, debt.days_overdue) == (date(2026, 11, 15), 7)
    assert debts.as_of == datetime(2026, 11, 22, tzinfo=UTC)
    assert debts.totals == (Money(5140, "EUR"),)


def test_debts_in_many_parts_arrive_whole(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    flat.debts = [bill(amount_minor=number) for number in range(1, 51)]
    api.ledger.part_size = 2
    api.queues.batch = 3
    api.queues.shuffle = random.Random(7)
    debts = client.debts(flat.apartment_id)
    assert [debt.amount.minor for debt in debts.debts] == list(range(1, 51))
    assert api.queues.left() == []


def test_an_answer_given_twice_is_joined_from_one_of_them_and_acknowledged(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    flat.debts = [bill() for _ in range(9)]
    api.ledger.part_size = 2
    api.answer_times = 2
    assert len(client.debts(flat.apartment_id).debts) == 9
    client.debts(flat.apartment_id)
    assert api.queues.left() == []


def test_a_total_that_does_not_fit_is_no_answer(
    client: BillingClient, api: FakeApi, flat: FakeApartment, monkeypatch: pytest.MonkeyPatch
) -> None:
    flat.debts = [bill()]
    lying = {**api.ledger.utils(_owner(api), flat.apartment_id, {})}
    lying["parts"] = [{**lying["parts"][0], "total_minor": 1}]
    monkeypatch.setattr(api.ledger, "utils", lambda *_: lying)
    with pytest.raises(UnexpectedAnswer):
        client.debts(flat.apartment_id)


def _owner(api: FakeApi) -> str:
    return api.ledger.users["ada"].subject


def test_debts_in_two_currencies_have_two_totals(
    client: BillingClient, flat: FakeApartment
) -> None:
    flat.debts = [bill(), bill(currency="KWD", amount_minor=1500)]
    assert client.debts(flat.apartment_id).totals == (Money(5140, "EUR"), Money(1500, "KWD"))


def test_an_apartment_of_somebody_else_is_not_found(client: BillingClient, api: FakeApi) -> None:
    theirs = api.ledger.add_apartment(api.ledger.add_user("bob"))
    with pytest.raises(RequestRejected, match="apartment_not_found"):
        client.debts(theirs.apartment_id)


def test_a_failure_of_the_service_can_be_asked_again(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    api.failing["utils"] = "service_unavailable"
    with pytest.raises(ServiceFailed) as caught:
        client.debts(flat.apartment_id)
    assert caught.value.code == "service_unavailable"
    api.failing.clear()
    assert client.debts(flat.apartment_id).debts == ()


def test_a_payment_gives_its_receipt(client: BillingClient, flat: FakeApartment) -> None:
    paid, kept = bill(), bill(utility="water")
    flat.debts = [paid, kept]
    receipt = client.pay(flat.apartment_id, [paid["bill_id"]], expected_total_minor=5140)
    assert receipt.total == Money(5140, "EUR")
    assert receipt.lines[0].provider == Provider("north-gas", "North Gas")
    assert [d.bill_id for d in client.debts(flat.apartment_id).debts] == [kept["bill_id"]]
    assert client.pending_payments.all() == ()


def test_a_total_that_changed_pays_nothing_and_tells_the_new_one(
    client: BillingClient, flat: FakeApartment
) -> None:
    flat.debts = [bill()]
    with pytest.raises(RequestRejected) as caught:
        client.pay(flat.apartment_id, [flat.debts[0]["bill_id"]], expected_total_minor=1)
    assert (caught.value.code, caught.value.details["total_minor"]) == ("total_changed", 5140)
    assert client.pending_payments.all() == ()
    assert flat.events == []


def test_history_is_read_in_full_and_then_by_difference(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    api.ledger.part_size, api.ledger.page_size = 3, 7
    flat.debts = [bill(period=month(2026, 1 + n % 12)) for n in range(20)]
    client.pay(flat.apartment_id, [debt["bill_id"] for debt in flat.debts[:19]])
    state = client.sync_history(HistoryState(flat.apartment_id))
    client.pay(flat.apartment_id, [flat.debts[0]["bill_id"]])
    later = client.sync_history(state)
    assert (len(state.events), len(later.events)) == (19, 20)
    assert later.events == client.history(flat.apartment_id)


def test_threads_share_a_client_and_each_gets_its_own_answer(
    client: BillingClient, api: FakeApi, ada: FakeUser
) -> None:
    flats = [api.ledger.add_apartment(ada) for _ in range(8)]
    for number, flat in enumerate(flats, start=1):
        flat.debts = [bill(amount_minor=number), bill(amount_minor=number)]
    api.answer_seconds, api.ledger.part_size = 0.05, 1
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda flat: client.debts(flat.apartment_id), flats))
    assert [a.totals[0].minor for a in answers] == [2 * n for n in range(1, 9)]
    assert api.queues.left() == []


def test_a_call_returns_within_its_own_time_while_another_thread_polls(
    make_client: MakeClient, api: FakeApi, flat: FakeApartment
) -> None:
    client = make_client(timeout_seconds=1.0)
    client.login("ada", "secret")
    api.silent = {"histories"}
    with ThreadPoolExecutor(2) as threads:
        waiting = threads.submit(client.history, flat.apartment_id)
        assert client.debts(flat.apartment_id).debts == ()
        assert waiting.exception() is not None


def test_an_apartment_id_that_is_no_uuid_is_a_mistake_of_the_caller(client: BillingClient) -> None:
    with pytest.raises(ValueError, match="badly formed"):
        client.debts("../payments")


@pytest.mark.parametrize("url", ["ftp://host", "127.0.0.1:8000", "http://a@b", "http://h?x=1"])
def test_an_address_that_is_none_is_rejected(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        BillingClient(url)
