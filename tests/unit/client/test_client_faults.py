"""What the client does when the way to the service, or the service, fails."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from billing_client import (
    AnswerTimeout,
    BillingClient,
    BillingError,
    ConnectionFailed,
    Debts,
    GatewayRefused,
    NotLoggedIn,
    PendingRequest,
    Receipt,
    ServiceFailed,
    Session,
    SessionInMemory,
)

from tests.support.fake_api import FakeApi, Fault
from tests.support.fake_books import FakeApartment, bill
from tests.unit.client.conftest import MakeClient


@pytest.fixture
def hasty(make_client: MakeClient, flat: FakeApartment) -> BillingClient:
    """A client that waits less than a second."""
    made = make_client(timeout_seconds=0.8)
    made.login("ada", "secret")
    return made


def pay_all(client: BillingClient, flat: FakeApartment) -> Receipt:
    return client.pay(flat.apartment_id, [debt["bill_id"] for debt in flat.debts])


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "status"])
def test_a_payment_is_sent_again_under_its_key_and_made_once(
    client: BillingClient, api: FakeApi, flat: FakeApartment, kind: str
) -> None:
    flat.debts = [bill()]
    api.faults = [Fault(kind, "POST", "payments", times=2)]
    receipt = pay_all(client, flat)
    keys = {request.headers["idempotency-key"] for request in api.calls("POST", "payments")}
    assert len(keys) == 1
    assert [event["payment_id"] for event in flat.events] == [receipt.payment_id]


def test_a_payment_whose_acceptance_is_lost_for_good_can_be_resumed(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    flat.debts = [bill()]
    api.faults = [Fault("drop_after", "POST", "payments", times=99)]
    with pytest.raises(ConnectionFailed) as caught:
        pay_all(client, flat)
    pending = caught.value.pending
    assert pending is not None
    (kept,) = client.pending_payments.all()
    assert kept.idempotency_key == pending.idempotency_key
    api.faults = []
    receipt = client.resume_payment(pending)
    assert [event["payment_id"] for event in flat.events] == [receipt.payment_id]
    assert client.pending_payments.all() == ()


def test_a_payment_without_an_answer_can_be_collected(
    hasty: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    flat.debts = [bill()]
    api.silent = {"payments"}
    with pytest.raises(AnswerTimeout) as caught:
        pay_all(hasty, flat)
    pending = caught.value.pending
    assert pending is not None
    assert pending.request_id
    assert pending.poll_path.startswith(f"/apartments/{flat.apartment_id}/payments/")
    api.silent = set()
    receipt = hasty.collect(PendingRequest.from_json(pending.as_json()))
    assert isinstance(receipt, Receipt)
    assert [event["payment_id"] for event in flat.events] == [receipt.payment_id]


def test_a_failed_payment_is_kept_with_its_key(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    flat.debts = [bill()]
    api.failing["payments"] = "payment_outcome_unknown"
    with pytest.raises(ServiceFailed) as caught:
        pay_all(client, flat)
    (kept,) = client.pending_payments.all()
    assert caught.value.pending is not None
    assert caught.value.pending.idempotency_key == kept.idempotency_key


def test_a_payment_that_never_left_is_not_kept(flat: FakeApartment, client: BillingClient) -> None:
    lonely = BillingClient(
        f"http://127.0.0.1:{closed_port()}", sessions=SessionInMemory(client.session)
    )
    with pytest.raises(ConnectionFailed) as caught:
        lonely.pay(flat.apartment_id, ["b"])
    assert caught.value.pending is None
    assert lonely.pending_payments.all() == ()
    lonely.close()


def test_a_resumed_payment_stays_kept_until_the_service_speaks_of_it(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    flat.debts = [bill()]
    api.faults = [Fault("drop_after", "POST", "payments", times=99)]
    with pytest.raises(ConnectionFailed) as caught:
        pay_all(client, flat)
    api.faults = [Fault("status", "POST", "payments", times=99, status=429)]
    assert caught.value.pending is not None
    with pytest.raises(GatewayRefused) as again:
        client.resume_payment(caught.value.pending)
    assert again.value.pending is not None
    assert len(client.pending_payments.all()) == 1


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_lost_answer_to_a_question_can_be_collected_from_its_queue(
    hasty: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    flat.debts = [bill()]
    api.answer_seconds = 1.1
    with pytest.raises(AnswerTimeout) as caught:
        hasty.debts(flat.apartment_id)
    assert caught.value.pending is not None
    debts = hasty.collect(caught.value.pending)
    assert isinstance(debts, Debts)
    assert len(debts.debts) == 1
    assert len(api.calls("POST", "utils")) == 1


def test_an_expired_token_is_renewed_once_and_the_call_goes_on(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    before = client.session
    api.expire_tokens()
    assert client.debts(flat.apartment_id).debts == ()
    assert client.session is not None
    assert client.session != before
    assert len([r for r in api.calls("POST", "auth") if "refresh_token" in r.body]) == 1


def test_a_token_that_expires_while_polling_is_renewed(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    api.faults = [Fault("status", "GET", "utils", status=401)]
    assert client.debts(flat.apartment_id).debts == ()


def test_a_session_that_is_over_asks_for_a_login(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    api.expire_tokens(refresh_too=True)
    with pytest.raises(NotLoggedIn) as caught:
        client.debts(flat.apartment_id)
    assert caught.value.code == "session_expired"


def test_a_renewed_token_that_is_refused_asks_for_a_login(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    api.faults = [Fault("status", "POST", "utils", status=401, times=9)]
    with pytest.raises(NotLoggedIn):
        client.debts(flat.apartment_id)
    assert len(api.calls("POST", "utils")) == 2


def test_a_busy_gateway_is_given_the_time_it_asks_for(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    api.faults = [Fault("status", "POST", "utils", status=429, retry_after=1)]
    started = time.monotonic()
    client.debts(flat.apartment_id)
    assert 1.0 <= time.monotonic() - started < 3.0


def test_a_gateway_that_asks_for_more_time_than_there_is_ends_the_call_at_once(
    hasty: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    api.faults = [Fault("status", "POST", "utils", status=429, retry_after=60)]
    started = time.monotonic()
    with pytest.raises(GatewayRefused) as caught:
        hasty.debts(flat.apartment_id)
    assert (caught.value.http_status, caught.value.retry_after_seconds) == (429, 60)
    assert time.monotonic() - started < 1.0


def test_the_first_poll_waits_as_long_as_the_acknowledgement_says(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    api.retry_after_seconds = 0.4
    started = time.monotonic()
    client.debts(flat.apartment_id)
    assert time.monotonic() - started >= 0.4


@pytest.mark.parametrize("kind", ["status", "drop_before", "drop_after"])
def test_trouble_while_polling_is_waited_out(
    client: BillingClient, api: FakeApi, flat: FakeApartment, kind: str
) -> None:
    api.queues.visibility_seconds = 0.2
    api.faults = [Fault(kind, "GET", "utils", times=2)]
    assert client.debts(flat.apartment_id).debts == ()


def test_an_acknowledgement_that_fails_costs_nothing(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    api.faults = [Fault("status", "DELETE", times=1)]
    api.queues.visibility_seconds = 0.1
    assert client.debts(flat.apartment_id).debts == ()
    time.sleep(0.15)
    client.debts(flat.apartment_id)
    client.debts(flat.apartment_id)
    assert api.queues.left() == []


def test_replies_of_other_requests_stay_on_the_queue(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    client.debts(flat.apartment_id)
    (queue,) = [name for name in api.queues.names() if not name.startswith("login")]
    other: dict[str, object] = {
        "request_id": "another",
        "operation": "utils",
        "status": "done",
        "code": None,
        "message": "",
        "data": {},
        "part": 1,
        "parts": 1,
    }
    api.queues.send(queue, other)
    api.queues.send(queue, {"not": "a reply"})
    client.debts(flat.apartment_id)
    assert api.queues.left() == [other, {"not": "a reply"}]


def test_polls_of_a_queue_that_does_not_exist_yet_are_few(
    hasty: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    api.silent = {"utils"}
    with pytest.raises(AnswerTimeout):
        hasty.debts(flat.apartment_id)
    assert len(api.calls("GET", "utils")) < 12


def test_a_refusal_keeps_the_gateways_words(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    api.faults = [Fault("status", "POST", "utils", status=413)]
    with pytest.raises(GatewayRefused) as caught:
        client.debts(flat.apartment_id)
    assert (caught.value.http_status, caught.value.code) == (413, "fault_413")
    assert caught.value.request_id


@contextmanager
def raw_server(answer: bytes, pause_seconds: float = 0.0) -> Iterator[str]:
    """Answer one connection byte by byte."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            for byte in answer:
                try:
                    connection.sendall(bytes([byte]))
                except OSError:
                    return
                time.sleep(pause_seconds)

    thread = threading.Thread(target=serve)
    thread.start()
    with listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread.join()


def logged_in_elsewhere(client: BillingClient) -> SessionInMemory:
    session = client.session
    assert isinstance(session, Session)
    return SessionInMemory(session)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<ok>",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]",
        b"HTTP/1.1 502 Bad\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<no>",
        b"not HTTP at all\r\n\r\n",
    ],
)
def test_an_answer_that_is_none_is_an_error_of_ours(
    client: BillingClient, flat: FakeApartment, answer: bytes
) -> None:
    with raw_server(answer) as url:
        stranger = BillingClient(url, sessions=logged_in_elsewhere(client), timeout_seconds=1)
        with pytest.raises(BillingError) as caught, stranger:
            stranger.pay(flat.apartment_id, ["b"])
        assert caught.value.pending is not None


def test_an_answer_that_drips_does_not_outlast_the_timeout(
    client: BillingClient, flat: FakeApartment
) -> None:
    answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 900\r\n\r\n" + b" " * 900
    with raw_server(answer, pause_seconds=0.01) as url:
        stranger = BillingClient(url, sessions=logged_in_elsewhere(client), timeout_seconds=1)
        started = time.monotonic()
        with pytest.raises(AnswerTimeout), stranger:
            stranger.debts(flat.apartment_id)
        assert time.monotonic() - started < 1.5
