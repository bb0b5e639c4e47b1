"""Payments whose request or reply is lost: found again, never made twice."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
from billing_client import (
    AnswerTimeout,
    BillingClient,
    BillingError,
    PendingRequest,
    Receipt,
    RequestRejected,
    ServiceFailed,
)
from hypothesis import example, given
from hypothesis import strategies as st

from billing_app.domain.errors import Rejection, Unavailable
from tests.support.billing_service import BillingService, Fault, FaultyTransport, Residency
from tests.support.bills import a_debt

BEFORE = ["no_connection", "drop_before", "status"]
AFTER = ["drop_after", "status_after", "garbled", "proxy"]
faults = st.lists(
    st.builds(
        Fault,
        st.sampled_from([*BEFORE, *AFTER]),
        st.sampled_from(["POST", "GET", "DELETE", ""]),
        st.just("payments"),
        times=st.sampled_from([1, 2, 99]),
        status=st.just(503),
    )
    # What the gateway rejects like this has not been accepted.
    | st.builds(
        Fault, st.just("status"), path=st.just("payments"), status=st.sampled_from([401, 429])
    ),
    max_size=3,
)


@given(faults, faults)
@example([Fault("drop_after", "POST"), Fault("no_connection", "POST", times=99)], [])
@example([Fault("status_after", "POST", "payments", times=99)], [])
@example([Fault("proxy", "POST", status=200), Fault("no_connection", "POST", times=99)], [])
@example([Fault("drop_after", "POST", times=99)], [Fault("status", "POST", status=429, times=99)])
def test_a_payment_is_made_once_and_pending_until_its_outcome_is_known(
    first: list[Fault], second: list[Fault]
) -> None:
    service = BillingService()
    service.queues.visibility_seconds = 2.0
    apartment = service.add_apartment(service.add_resident("ada"))
    wire = FaultyTransport(service)
    http = httpx.Client(transport=wire)
    client = BillingClient("http://billing.test", http=http, clock=service.clock)
    client.login("ada", "secret")
    bills = apartment.owes(a_debt())
    receipt: Receipt | None = None
    pending: PendingRequest | None = None
    for happening in (first, second, []):
        wire.faults, before = [replace(fault) for fault in happening], pending
        try:
            if before is None:
                receipt = client.pay(apartment.apartment_id, bills)
            else:
                receipt = client.resume_payment(before)
            break
        except BillingError as error:
            pending = error.pending
        # What was pending stays so; what was never accepted may be tried as a new payment.
        assert pending or (before is None and apartment.events == [])
        assert len(client.pending_payments.all()) == (pending is not None)
    assert receipt is not None
    assert [str(event.payment_id) for event in apartment.events] == [receipt.payment_id]
    assert client.pending_payments.all() == ()


def test_the_key_of_a_pending_payment_resumes_that_payment_or_none(
    client: BillingClient, wire: FaultyTransport, apartment: Residency
) -> None:
    """Whatever the gateway says to the second call, it says nothing about the first."""
    bills = apartment.owes(a_debt(), a_debt())
    wire.faults = [
        Fault("drop_after", "POST", "payments", times=4),
        Fault("status", "POST", "payments", status=413),
    ]
    for _ in range(2):
        with pytest.raises(BillingError) as caught:
            client.pay(apartment.apartment_id, bills[:1], idempotency_key="k")
        assert caught.value.pending is not None
    with pytest.raises(ValueError, match="another payment"):
        client.pay(apartment.apartment_id, bills[1:], idempotency_key="k")
    receipt = client.pay(apartment.apartment_id, bills[:1], idempotency_key="k")
    assert [line.bill_id for line in receipt.lines] == bills[:1]
    assert len(apartment.events) == 1


@pytest.mark.parametrize("code", ["invalid_request", "too_many_rejections"])
def test_a_rejection_that_says_nothing_of_the_first_request_leaves_it_open(
    hasty: BillingClient, service: BillingService, apartment: Residency, code: str
) -> None:
    """It may be in the queue still, or made by a service that doesn't know the newest contract."""
    service.failing["payments"] = Unavailable("database", "away")
    with pytest.raises(BillingError):
        hasty.pay(apartment.apartment_id, apartment.owes(a_debt()))
    [pending] = hasty.pending_payments.all()
    service.failing["payments"] = Rejection(code)
    with pytest.raises(RequestRejected) as caught:
        hasty.resume_payment(pending)
    assert (caught.value.code, caught.value.pending) == (code, pending)
    assert hasty.pending_payments.all() == (pending,)
    service.failing.clear()
    assert hasty.resume_payment(pending).lines


def test_a_payment_without_a_reply_can_be_collected(
    hasty: BillingClient, service: BillingService, apartment: Residency
) -> None:
    service.silent = {"payments"}
    with pytest.raises(AnswerTimeout) as caught:
        hasty.pay(apartment.apartment_id, apartment.owes(a_debt()))
    pending = caught.value.pending
    assert pending is not None
    assert pending.request_id
    assert pending.poll_path.startswith(f"/apartments/{apartment.apartment_id}/payments/")
    service.silent = set()
    receipt = hasty.collect(PendingRequest.from_json(pending.as_json()))
    assert isinstance(receipt, Receipt)
    assert [str(event.payment_id) for event in apartment.events] == [receipt.payment_id]


@pytest.mark.parametrize("edited", ["failed", "unreadable"])
def test_a_payment_with_an_uncertain_outcome_stays_pending(
    client: BillingClient, service: BillingService, apartment: Residency, edited: str
) -> None:
    if edited == "failed":
        service.failing["payments"] = RuntimeError("lost in COMMIT")
    else:
        service.edit = lambda reply: {**reply, "data": {"receipt_number": 7}}
    with pytest.raises(ServiceFailed) as caught:
        client.pay(apartment.apartment_id, apartment.owes(a_debt()))
    (kept,) = client.pending_payments.all()
    assert caught.value.pending is not None
    assert caught.value.pending.idempotency_key == kept.idempotency_key
