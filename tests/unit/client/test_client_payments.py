"""Payments whose request or reply is lost: found again, never made twice."""

from __future__ import annotations

import pytest
from billing_client import (
    AnswerTimeout,
    BillingClient,
    ConnectionFailed,
    GatewayRejected,
    PendingRequest,
    Receipt,
    ServiceFailed,
)

from tests.support.billing_service import BillingService, Fault, FaultyTransport, Residency
from tests.support.bills import a_debt


def pay_one(client: BillingClient, apartment: Residency) -> Receipt:
    return client.pay(apartment.apartment_id, apartment.owes(a_debt()))


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "status"])
def test_a_payment_is_sent_again_under_its_key_and_made_once(
    client: BillingClient, wire: FaultyTransport, apartment: Residency, kind: str
) -> None:
    wire.faults = [Fault(kind, "POST", "payments", times=2)]
    receipt = pay_one(client, apartment)
    keys = {request.headers["idempotency-key"] for request in wire.sent("POST", "payments")}
    assert len(keys) == 1
    assert [str(event.payment_id) for event in apartment.events] == [receipt.payment_id]


def test_a_payment_without_a_reply_can_be_collected(
    hasty: BillingClient, service: BillingService, apartment: Residency
) -> None:
    service.silent = {"payments"}
    with pytest.raises(AnswerTimeout) as caught:
        pay_one(hasty, apartment)
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
        pay_one(client, apartment)
    (kept,) = client.pending_payments.all()
    assert caught.value.pending is not None
    assert caught.value.pending.idempotency_key == kept.idempotency_key


def test_a_payment_that_was_never_sent_is_not_pending(
    client: BillingClient, wire: FaultyTransport, apartment: Residency
) -> None:
    wire.faults = [Fault("no_connection", times=99)]
    with pytest.raises(ConnectionFailed) as caught:
        client.pay(apartment.apartment_id, ["b"])
    assert caught.value.pending is None
    assert client.pending_payments.all() == ()


def test_a_resumed_payment_stays_pending_until_the_service_answers_for_it(
    client: BillingClient, wire: FaultyTransport, apartment: Residency
) -> None:
    wire.faults = [Fault("drop_after", "POST", "payments", times=99)]
    with pytest.raises(ConnectionFailed) as caught:
        pay_one(client, apartment)
    wire.faults = [Fault("status", "POST", "payments", times=99, status=429)]
    assert caught.value.pending is not None
    with pytest.raises(GatewayRejected) as again:
        client.resume_payment(caught.value.pending)
    assert again.value.pending is not None
    assert len(client.pending_payments.all()) == 1
