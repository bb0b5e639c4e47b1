"""What the client does when the connection or the service fails."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from billing_client import AnswerTimeout, BillingClient, Debts, GatewayRejected, NotLoggedIn

from tests.support.billing_service import BillingService, Fault, FaultyTransport, Residency
from tests.support.bills import a_debt


@pytest.mark.parametrize(
    ("fault", "waited"),
    [
        # The new login is answered on a queue of its own, which isn't there at once.
        pytest.param(Fault("status", "POST", "utils", status=401), 1, id="expired token"),
        pytest.param(Fault("status", "GET", "utils", status=401), 1, id="expired while polling"),
        pytest.param(Fault("status", "POST", "utils", status=429, retry_after=7), 7, id="busy"),
        pytest.param(Fault("status", "GET", "utils", times=2), None, id="errors while polling"),
        pytest.param(Fault("proxy", "POST", "utils", status=407), None, id="answer of a proxy"),
        pytest.param(Fault("proxy", "GET", "utils", status=200), None, id="a login page"),
        pytest.param(Fault("garbled", "GET", "utils", times=2), None, id="garbled polls"),
        pytest.param(Fault("drop_before", "GET", "utils", times=2), None, id="lost polls"),
        pytest.param(Fault("drop_after", "GET", "utils", times=2), None, id="lost replies"),
    ],
)
def test_temporary_trouble_is_waited_out(
    client: BillingClient,
    service: BillingService,
    wire: FaultyTransport,
    apartment: Residency,
    fault: Fault,
    waited: float | None,
) -> None:
    client.debts(apartment.apartment_id)
    started = service.clock.monotonic()
    # The cases share the fault, which counts how often it happens.
    wire.faults = [replace(fault)]
    assert client.debts(apartment.apartment_id).debts == ()
    assert wire.faults[0].times == 0
    if waited is not None:
        assert service.clock.monotonic() - started == pytest.approx(waited)


def test_a_late_answer_can_be_collected_from_its_queue(
    hasty: BillingClient, service: BillingService, wire: FaultyTransport, apartment: Residency
) -> None:
    apartment.owes(a_debt())
    service.answer_seconds = 1.1
    with pytest.raises(AnswerTimeout) as caught:
        hasty.debts(apartment.apartment_id)
    assert caught.value.pending is not None
    debts = hasty.collect(caught.value.pending)
    assert isinstance(debts, Debts)
    assert len(debts.debts) == 1
    assert len(wire.sent("POST", "utils")) == 1


def test_an_expired_token_is_renewed_once_and_kept(
    client: BillingClient, service: BillingService, wire: FaultyTransport, apartment: Residency
) -> None:
    before = client.session
    service.identity.expire_tokens()
    for _ in range(2):
        assert client.debts(apartment.apartment_id).debts == ()
    assert client.session is not None
    assert client.session != before
    renewals = [r for r in wire.sent("POST", "auth") if b"refresh_token" in r.content]
    assert len(renewals) == 1


def test_a_renewed_token_that_is_rejected_requires_a_login(
    client: BillingClient, wire: FaultyTransport, apartment: Residency
) -> None:
    wire.faults = [Fault("status", "POST", "utils", status=401, times=9)]
    with pytest.raises(NotLoggedIn):
        client.debts(apartment.apartment_id)
    assert len(wire.sent("POST", "utils")) == 2


@pytest.mark.parametrize(("status", "retry_after"), [(429, 60), (413, None)])
def test_a_rejection_that_waiting_does_not_mend_in_time_ends_the_call_at_once(
    hasty: BillingClient,
    service: BillingService,
    wire: FaultyTransport,
    apartment: Residency,
    status: int,
    retry_after: int | None,
) -> None:
    wire.faults = [Fault("status", "POST", "utils", status=status, retry_after=retry_after)]
    started = service.clock.monotonic()
    with pytest.raises(GatewayRejected) as caught:
        hasty.debts(apartment.apartment_id)
    assert (caught.value.http_status, caught.value.code) == (status, f"fault_{status}")
    assert caught.value.retry_after_seconds == retry_after
    assert caught.value.request_id
    assert service.clock.monotonic() == started


def test_the_first_poll_of_a_new_queue_waits_as_long_as_the_acknowledgement_asks(
    client: BillingClient, service: BillingService, apartment: Residency
) -> None:
    started = service.clock.monotonic()
    for _ in range(2):
        client.debts(apartment.apartment_id)
        assert service.clock.monotonic() - started == pytest.approx(1.0)


def test_a_failed_acknowledgement_costs_nothing(
    client: BillingClient, service: BillingService, wire: FaultyTransport, apartment: Residency
) -> None:
    wire.faults = [Fault("status", "DELETE", times=1)]
    assert client.debts(apartment.apartment_id).debts == ()
    assert len(service.queues.left()) == 1
    service.clock.sleep(service.queues.visibility_seconds)
    for _ in range(2):
        client.debts(apartment.apartment_id)
    assert service.queues.left() == []


def test_replies_to_other_requests_stay_on_the_queue(
    client: BillingClient, service: BillingService, apartment: Residency
) -> None:
    client.debts(apartment.apartment_id)
    (queue,) = [name for name in service.queues.names() if "-r-" in name]
    other = {"request_id": "another", "status": "done", "data": {}, "part": 1, "parts": 1}
    for message in (other, {"not": "a reply"}):
        service.queues.put(queue, json.dumps(message))
    client.debts(apartment.apartment_id)
    assert service.queues.left() == [other, {"not": "a reply"}]


def test_a_queue_that_does_not_exist_yet_is_polled_a_few_times_only(
    client: BillingClient, service: BillingService, wire: FaultyTransport, apartment: Residency
) -> None:
    service.silent = {"utils"}
    with pytest.raises(AnswerTimeout):
        client.debts(apartment.apartment_id)
    assert 5 < len(wire.sent("GET", "utils")) < 40
