"""From an SQS record to a request: identity comes from attributes, never from the body."""

from __future__ import annotations

from uuid import uuid4

import pytest

from billing_app.domain.errors import Rejection
from chalicelib.records import (
    RequestBody,
    Undeliverable,
    apartment_of,
    idempotency_key_of,
    read_record,
    validated,
)
from tests.support.records import QUEUE, a_record

SUBJECT = uuid4()


def test_the_body_says_nothing_about_who_asks() -> None:
    home = uuid4()
    body = {"subject": str(uuid4()), "apartment_id": str(uuid4()), "request_id": "forged"}
    record = a_record(body, subject=SUBJECT, apartment=home, request_id="true")
    request = read_record(record)
    assert (request.caller, apartment_of(request), request.request_id) == (SUBJECT, home, "true")
    assert request.queue_name == QUEUE


NO_QUEUE = ["{}", *(f'{{"queue_name": {name}}}' for name in ("5", '"x"', "null"))]


@pytest.mark.parametrize("body", ["", "[]", "nonsense", "[" * 100_000, *NO_QUEUE])
def test_a_body_that_names_no_reply_queue_is_undeliverable(body: str) -> None:
    with pytest.raises(Undeliverable):
        read_record(a_record(body, subject=SUBJECT))


@pytest.mark.parametrize("value", ["9" * 5_000, "[" * 100_000, "\x00", '"cut'])
def test_a_body_that_can_not_be_read_is_rejected_where_it_says_where(value: str) -> None:
    body = f'{{"queue_name": "x", "a": {value}, "queue_name" : "{QUEUE}"}}'
    request = read_record(a_record(body, subject=SUBJECT))
    assert request.queue_name == QUEUE
    with pytest.raises(Rejection, match="invalid_request"):
        validated(RequestBody, request.fields)


@pytest.mark.parametrize("apartment", [None, "", "x", "../..", "' OR 1=1 --", "Квартира"])
def test_text_that_is_no_uuid_is_an_apartment_of_nobody(apartment: str | None) -> None:
    request = read_record(a_record(subject=SUBJECT, apartment=apartment))
    with pytest.raises(Rejection, match="apartment_not_found"):
        apartment_of(request)


def test_the_request_id_is_the_key_of_a_payment_that_brings_none() -> None:
    for receive_count in (1, 2):
        record = a_record(subject=SUBJECT, request_id="the-id", receive_count=receive_count)
        assert idempotency_key_of(read_record(record)) == "the-id"


def test_a_key_that_the_client_brings_is_the_key_of_the_payment() -> None:
    record = a_record(subject=SUBJECT, request_id="the-id", key="the client's")
    assert idempotency_key_of(read_record(record)) == "the client's"


@pytest.mark.parametrize("key", ["ключ", "a\nb", "a" * 201, "\x00"])
def test_a_key_that_is_not_printable_ascii_is_rejected(key: str) -> None:
    request = read_record(a_record(subject=SUBJECT, key=key))
    with pytest.raises(Rejection, match="invalid_idempotency_key"):
        idempotency_key_of(request)
