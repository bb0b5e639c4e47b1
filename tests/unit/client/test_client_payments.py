"""Payments whose way to the service, or whose answer, is lost: found again, never made twice."""

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
    SessionInMemory,
)

from tests.support.fake_api import FakeApi, Fault
from tests.support.fake_ledger import FakeApartment, bill
from tests.support.fake_server import closed_port
from tests.unit.client.conftest import BriskClock


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
        f"http://127.0.0.1:{closed_port()}",
        sessions=SessionInMemory(client.session),
        clock=BriskClock(),
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
    with pytest.raises(GatewayRejected) as again:
        client.resume_payment(caught.value.pending)
    assert again.value.pending is not None
    assert len(client.pending_payments.all()) == 1
