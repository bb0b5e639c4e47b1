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
    Debts,
    GatewayRejected,
    NotLoggedIn,
    Session,
    SessionInMemory,
)

from tests.support.fake_api import FakeApi, Fault
from tests.support.fake_ledger import FakeApartment, bill


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


def test_a_renewed_token_that_is_rejected_asks_for_a_login(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    api.faults = [Fault("status", "POST", "utils", status=401, times=9)]
    with pytest.raises(NotLoggedIn):
        client.debts(flat.apartment_id)
    assert len(api.calls("POST", "utils")) == 2


def test_a_busy_gateway_is_given_the_time_it_asks_for(
    patient: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    api.faults = [Fault("status", "POST", "utils", status=429, retry_after=1)]
    started = time.monotonic()
    patient.debts(flat.apartment_id)
    assert 1.0 <= time.monotonic() - started < 3.0


def test_a_gateway_that_asks_for_more_time_than_there_is_ends_the_call_at_once(
    hasty: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    api.faults = [Fault("status", "POST", "utils", status=429, retry_after=60)]
    started = time.monotonic()
    with pytest.raises(GatewayRejected) as caught:
        hasty.debts(flat.apartment_id)
    assert (caught.value.http_status, caught.value.retry_after_seconds) == (429, 60)
    assert time.monotonic() - started < 1.0


def test_the_first_poll_waits_as_long_as_the_acknowledgement_says(
    patient: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    api.retry_after_seconds = 0.4
    started = time.monotonic()
    patient.debts(flat.apartment_id)
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
    patient: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    patient.timeout_seconds = 1.2
    api.silent = {"utils"}
    with pytest.raises(AnswerTimeout):
        patient.debts(flat.apartment_id)
    assert len(api.calls("GET", "utils")) < 12


def test_a_rejection_keeps_the_gateways_words(
    client: BillingClient, api: FakeApi, flat: FakeApartment
) -> None:
    api.faults = [Fault("status", "POST", "utils", status=413)]
    with pytest.raises(GatewayRejected) as caught:
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
        stranger = BillingClient(url, sessions=logged_in_elsewhere(client), timeout_seconds=0.5)
        with pytest.raises(BillingError) as caught, stranger:
            stranger.pay(flat.apartment_id, ["b"])
        assert caught.value.pending is not None


def test_an_answer_that_drips_does_not_outlast_the_timeout(
    client: BillingClient, flat: FakeApartment
) -> None:
    answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 900\r\n\r\n" + b" " * 900
    with raw_server(answer, pause_seconds=0.01) as url:
        stranger = BillingClient(url, sessions=logged_in_elsewhere(client), timeout_seconds=0.5)
        started = time.monotonic()
        with pytest.raises(AnswerTimeout), stranger:
            stranger.debts(flat.apartment_id)
        assert time.monotonic() - started < 1.0
