"""The contract over HTTP: what is accepted, how it is answered, and what is logged of it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable

import pytest
from werkzeug.test import Client

from tests.unit.gateway.conftest import Login
from tests.unit.gateway.tools import (
    ANNA,
    APARTMENT,
    CONTRACT,
    LOGIN,
    PAYMENTS,
    PREFIX,
    QUEUE_NAME,
    REQUEST,
    UTILS,
    Queues,
    assert_rejected,
    reply_queue,
)
from tools.local.gateway.throttle import Throttles
from tools.local.service import Throttle


def test_a_post_is_acknowledged_with_the_address_to_poll(client: Client, login: Login) -> None:
    answer = client.post(UTILS, json=REQUEST, headers=login())
    assert answer.status_code == 202
    assert answer.json == {
        "request_id": answer.headers["x-amzn-RequestId"],
        "queue_name": QUEUE_NAME,
        "poll": f"{UTILS}/{QUEUE_NAME}",
        "retry_after_seconds": 1,
    }
    assert answer.headers["Location"] == f"{UTILS}/{QUEUE_NAME}"
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_stage_is_part_of_the_address(serve: Callable[..., Client], login: Login) -> None:
    client = serve(stage="v1")
    answer = client.post(f"/v1{UTILS}/", json=REQUEST, headers=login())
    assert answer.json is not None
    assert answer.json["poll"] == f"/v1{UTILS}/{QUEUE_NAME}"
    assert client.get(answer.json["poll"], headers=login()).json == {"replies": []}
    assert_rejected(client.post(UTILS, json=REQUEST, headers=login()), 404, "route_not_found")


def test_the_client_s_body_and_its_attributes_reach_the_queue(
    client: Client, queues: Queues, login: Login
) -> None:
    body = f'{{ "queue_name":\n"{QUEUE_NAME}", "bills_id": ["{APARTMENT}"] }}'
    headers = {**login(), "Idempotency-Key": "key&1"}
    answer = client.post(PAYMENTS, data=body, content_type="application/json", headers=headers)
    assert answer.json is not None
    [message] = queues.messages(f"{PREFIX}-payments")
    assert message["Body"] == body
    requested_at = int(message["attributes"].pop("requested_at"))
    assert 0 <= time.time() * 1000 - requested_at < 60_000
    assert message["attributes"] == {
        "request_id": answer.json["request_id"],
        "subject": ANNA,
        "apartment_id": APARTMENT,
        "idempotency_key": "key&1",
    }


def test_a_content_type_is_taken_with_its_parameters_or_not_at_all(
    client: Client, login: Login
) -> None:
    body = json.dumps(REQUEST)
    for headers in ({}, {"Content-Type": "application/json; charset=utf-8"}):
        answer = client.post(UTILS, data=body, headers={**login(), **headers})
        assert answer.status_code == 202


def test_an_empty_queue_and_none_at_all_look_alike(
    client: Client, queues: Queues, login: Login
) -> None:
    missing = client.get(f"{UTILS}/{QUEUE_NAME}", headers=login())
    queues.create(reply_queue(ANNA))
    empty = client.get(f"{UTILS}/{QUEUE_NAME}?wait_seconds=0", headers=login())
    for answer in (missing, empty):
        assert (answer.status_code, answer.json) == (200, {"replies": []})
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/x-www-form-urlencoded; charset=utf-8", [200, 400, 204]),
        ("application/octet-stream", [200, 400, 204]),
        ("multipart/form-data; boundary=x", [200, 400, 204]),
        ("text/plain", [200, 400, 204]),
        ("application/xml", [415, 415, 415]),
    ],
)
def test_a_poll_may_have_a_usual_content_type_and_its_body_reaches_no_queue(
    client: Client, queues: Queues, login: Login, content_type: str, expected: list[int]
) -> None:
    queues.create(reply_queue(ANNA))
    statuses = [
        client.open(
            f"{UTILS}/{QUEUE_NAME}",
            method=method,
            query_string={"wait_seconds": "0", "receipt": "unknown"},
            headers={**login(), "Content-Type": content_type},
            data="Action=DeleteQueue&Version=2012-11-05",
        ).status_code
        for method in ("GET", "DELETE", "OPTIONS")
    ]
    assert statuses == expected
    assert queues.messages(reply_queue(ANNA)) == []


def test_a_receipt_is_needed(client: Client, login: Login) -> None:
    answer = client.delete(f"{UTILS}/{QUEUE_NAME}", headers=login())
    assert_rejected(answer, 400, "invalid_parameter")


def test_too_many_requests_are_told_to_wait(serve: Callable[..., Client]) -> None:
    now = [0.0]
    limits = {"posts": Throttle(rate=1, burst=2), "polls": Throttle(rate=5, burst=5)}
    client = serve(throttles=Throttles(limits, clock=lambda: now[0]))
    statuses = [client.post("/auth", json=LOGIN).status_code for _ in range(2)]
    rejected = client.post("/auth", json=LOGIN)
    assert statuses == [202, 202]
    assert_rejected(rejected, 429, "too_many_requests")
    assert rejected.headers["Retry-After"] == "1"
    # Each method has its own: polls go on, and so do preflights.
    assert client.get(f"/auth/{QUEUE_NAME}").status_code == 200
    assert [client.options("/auth").status_code for _ in range(6)] == [204] * 5 + [429]
    now[0] = 1.0
    assert client.post("/auth", json=LOGIN).status_code == 202


@pytest.mark.parametrize(
    "path", sorted({entry.path for entry in CONTRACT.operations if entry.method == "OPTIONS"})
)
def test_a_preflight_needs_no_token(client: Client, path: str) -> None:
    answer = client.options(path.format(apartment_id=APARTMENT, queue_name=QUEUE_NAME))
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Methods"] == "GET,POST,DELETE,OPTIONS"
    assert set(answer.headers["Access-Control-Allow-Headers"].split(",")) == {
        *("Authorization", "Content-Type", "Idempotency-Key")
    }


def test_the_log_has_a_line_for_each_request_and_no_secret(
    client: Client, login: Login, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    headers = {**login(), "Idempotency-Key": "secret-key"}
    body = {"username": "secret-user", "password": "secret-word", "queue_name": QUEUE_NAME}
    client.post("/auth", json=body)
    client.get(
        f"/apartments/{APARTMENT}/utils/{QUEUE_NAME}?wait_seconds=0&x=secret", headers=headers
    )
    client.delete(f"/auth/{QUEUE_NAME}?receipt=secret-receipt")
    client.get("/secret-path", headers=headers)
    records = [json.loads(record.message) for record in caplog.records]
    assert [(entry["method"], entry["route"], entry["status"]) for entry in records] == [
        ("POST", "/auth", 202),
        ("GET", "/apartments/{apartment_id}/utils/{queue_name}", 200),
        ("DELETE", "/auth/{queue_name}", 400),
        ("GET", None, 404),
    ]
    for forbidden in ("secret", QUEUE_NAME, APARTMENT, headers["Authorization"][7:20]):
        assert forbidden not in caplog.text
