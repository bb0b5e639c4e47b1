"""The contract over HTTP: what is accepted, what is refused and how."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client, TestResponse

from localcloud.gateway.errors import GatewayError
from localcloud.gateway.request import MAX_BODY_BYTES
from localcloud.gateway.sqs import Answer, error_answer
from localcloud.gateway.throttle import TokenBucket
from tests.unit.gateway.conftest import Login
from tests.unit.gateway.tools import (
    ANNA,
    APARTMENT,
    BORIS,
    CONTRACT,
    PREFIX,
    QUEUE_NAME,
    MemoryQueues,
    reply_queue,
)

UTILS = f"/apartments/{APARTMENT}/utils"
PAYMENTS = f"/apartments/{APARTMENT}/payments"
HISTORIES = f"/apartments/{APARTMENT}/histories"
INSTANT = "2026-11-22T10:00:00.000000Z"
REQUEST = {"queue_name": QUEUE_NAME}
NO_EDGES: list[Any] = ["2026-11-22", "2026-11-22T10:00:00Z", "", 5, 1.5, True, {}, [], [None]]
LOGIN = {"username": "anna", "password": "secret", "queue_name": QUEUE_NAME}


class Broken:
    """A backend that answers or fails as it is told."""

    def __init__(self, outcome: Answer | GatewayError) -> None:
        self.outcome = outcome

    def call(self, path: str, body: str) -> Answer:
        """Answer or fail."""
        if isinstance(self.outcome, GatewayError):
            raise self.outcome
        return self.outcome


def assert_refused(answer: TestResponse, status: int, code: str) -> None:
    """See our error shape with CORS headers."""
    assert (answer.status_code, answer.json and answer.json["code"]) == (status, code)
    assert answer.json is not None
    assert set(answer.json) == {"code", "message", "request_id"}
    assert answer.json["request_id"] == answer.headers["x-amzn-RequestId"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.content_type == "application/json"


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
    assert_refused(client.post(UTILS, json=REQUEST, headers=login()), 404, "route_not_found")


def test_the_client_s_body_and_its_attributes_reach_the_queue(
    client: Client, queues: MemoryQueues, login: Login
) -> None:
    body = f'{{ "queue_name":\n"{QUEUE_NAME}", "bills_id": ["{APARTMENT}"] }}'
    headers = {**login(), "Idempotency-Key": "key&1"}
    answer = client.post(PAYMENTS, data=body, content_type="application/json", headers=headers)
    assert answer.json is not None
    [message] = queues.messages[f"{PREFIX}-payments"]
    assert message["Body"] == body
    assert message["attributes"] == {
        "request_id": answer.json["request_id"],
        "subject": ANNA,
        "apartment_id": APARTMENT,
        "idempotency_key": "key&1",
    }


@pytest.mark.parametrize(
    "apartment",
    ["%22%7D", "a%0D%0AX-Evil:1", "..%2f..", "%D0%96", "a'b", "%F0%9F%98%80", "a&b=c+d", "%00"],
)
def test_a_hostile_path_breaks_neither_header_nor_json(
    client: Client, queues: MemoryQueues, login: Login, apartment: str
) -> None:
    answer = client.open(
        "/", method="POST", json=REQUEST, headers=login(), environ_overrides=raw(apartment)
    )
    assert answer.status_code == 202
    assert answer.json is not None
    assert answer.json["poll"] == answer.headers["Location"]
    assert set(answer.headers.keys()) & {"X-Evil"} == set()
    assert len(queues.messages[f"{PREFIX}-utils"]) == 1


def raw(apartment: str) -> dict[str, str]:
    """Say a path as it stands in the request line."""
    return {
        "REQUEST_URI": f"/apartments/{apartment}/utils",
        "RAW_URI": f"/apartments/{apartment}/utils",
    }


def test_a_poll_shows_replies_with_their_receipts(
    client: Client, queues: MemoryQueues, login: Login
) -> None:
    sent: list[dict[str, Any]] = [
        {"request_id": "1", "message": 'it\'s "Жанна" \\ 😀'},
        {"request_id": "2", "data": None},
    ]
    queues.create(reply_queue(ANNA))
    for reply in sent:
        queues.put(reply_queue(ANNA), reply)
    answer = client.get(f"{UTILS}/{QUEUE_NAME}", headers=login())
    assert answer.json is not None
    receipts = [entry["ReceiptHandle"] for entry in queues.messages[reply_queue(ANNA)]]
    assert answer.json["replies"] == [
        {"receipt": receipt, **reply} for receipt, reply in zip(receipts, sent, strict=True)
    ]
    assert answer.headers["Cache-Control"] == "no-store"


ONE = {"Body": '{"request_id":"1"}', "ReceiptHandle": "r1"}
TWO = {"Body": '{"request_id":"2"}', "ReceiptHandle": "r2"}


@pytest.mark.parametrize(
    ("result", "ids"),
    [
        ({"messages": [ONE, TWO]}, ["1", "2"]),
        ({"messages": None}, []),
        (None, []),
        ({}, []),
        ({"Message": ONE}, ["1"]),
        ({"Message": [ONE, TWO]}, ["1", "2"]),
    ],
)
def test_messages_are_read_in_each_shape_that_sqs_is_shown_in(
    serve: Callable[..., Client], result: object, ids: list[str]
) -> None:
    shown = Answer(200, {"ReceiveMessageResponse": {"ReceiveMessageResult": result}})
    answer: Any = serve(backend=Broken(shown)).get(f"/auth/{QUEUE_NAME}").json
    assert [reply["request_id"] for reply in answer["replies"]] == ids


def test_an_error_in_the_shape_of_sqs_s_xml_is_known_too(serve: Callable[..., Client]) -> None:
    error = {"Code": "AWS.SimpleQueueService.NonExistentQueue", "Message": "x"}
    shown = Answer(400, {"ErrorResponse": {"Error": error}})
    answer = serve(backend=Broken(shown)).get(f"/auth/{QUEUE_NAME}")
    assert (answer.status_code, answer.json) == (200, {"replies": []})


def test_an_empty_queue_and_none_at_all_look_alike(
    client: Client, queues: MemoryQueues, login: Login
) -> None:
    missing = client.get(f"{UTILS}/{QUEUE_NAME}", headers=login())
    queues.create(reply_queue(ANNA))
    empty = client.get(f"{UTILS}/{QUEUE_NAME}", headers=login())
    for answer in (missing, empty):
        assert (answer.status_code, answer.json) == (200, {"replies": []})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_somebody_else_with_my_queue_name_polls_a_queue_of_his_own(
    client: Client, queues: MemoryQueues, login: Login
) -> None:
    queues.create(reply_queue(ANNA))
    queues.put(reply_queue(ANNA), {"request_id": "1"})
    seen = client.get(f"{UTILS}/{QUEUE_NAME}", headers=login(BORIS))
    assert seen.json == {"replies": []}
    receipt = queues.messages[reply_queue(ANNA)][0]["ReceiptHandle"]
    target = {"receipt": receipt}
    taken = client.delete(f"{UTILS}/{QUEUE_NAME}", query_string=target, headers=login(BORIS))
    assert_refused(taken, 400, "invalid_receipt")
    assert len(queues.messages[reply_queue(ANNA)]) == 1


def test_a_reply_is_gone_once_it_is_acknowledged(
    client: Client, queues: MemoryQueues, login: Login
) -> None:
    queues.create(reply_queue(ANNA))
    queues.put(reply_queue(ANNA), {"request_id": "1"})
    replies: Any = client.get(f"{UTILS}/{QUEUE_NAME}", headers=login()).json
    target = {"receipt": replies["replies"][0]["receipt"]}
    answer = client.delete(f"{UTILS}/{QUEUE_NAME}", query_string=target, headers=login())
    assert (answer.status_code, answer.data) == (204, b"")
    assert queues.messages[reply_queue(ANNA)] == []


def test_a_receipt_is_needed(client: Client, login: Login) -> None:
    answer = client.delete(f"{UTILS}/{QUEUE_NAME}", headers=login())
    assert_refused(answer, 400, "invalid_parameter")


@pytest.mark.parametrize(
    "body",
    [
        LOGIN,
        {**LOGIN, "new_password": "other"},
        {"refresh_token": "x", "queue_name": QUEUE_NAME},
        {**LOGIN, "queue_name": QUEUE_NAME.upper()},
    ],
)
def test_the_three_ways_to_log_in_are_accepted(client: Client, body: dict[str, str]) -> None:
    assert client.post("/auth", json=body).status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        "x",
        {"username": "anna", "password": "secret"},
        {**LOGIN, "queue_name": "x"},
        {**LOGIN, "queue_name": QUEUE_NAME + "0"},
        {**LOGIN, "queue_name": None},
        {**LOGIN, "refresh_token": "x"},
        {**LOGIN, "subject": "victim"},
        {**LOGIN, "password": 1},
        {**LOGIN, "password": ""},
        {**LOGIN, "username": "x" * 129},
    ],
)
def test_a_login_that_is_none_is_refused(
    client: Client, queues: MemoryQueues, body: object
) -> None:
    assert_refused(client.post("/auth", json=body), 400, "invalid_body")
    assert queues.messages[f"{PREFIX}-auth"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (UTILS, {}),
        (UTILS, {**REQUEST, "x": 1}),
        (PAYMENTS, REQUEST),
        (PAYMENTS, {**REQUEST, "bills_id": []}),
        (PAYMENTS, {**REQUEST, "bills_id": ["x"]}),
        (PAYMENTS, {**REQUEST, "bills_id": [APARTMENT] * 1001}),
        (PAYMENTS, {**REQUEST, "bills_id": APARTMENT}),
        (PAYMENTS, {**REQUEST, "bills_id": [APARTMENT], "expected_total_minor": 0}),
        (PAYMENTS, {**REQUEST, "bills_id": [APARTMENT], "expected_total_minor": 1.5}),
        (PAYMENTS, {**REQUEST, "bills_id": [APARTMENT], "expected_total_minor": "1"}),
        (HISTORIES, REQUEST),
        (HISTORIES, {**REQUEST, "date_up": None}),
        *[(HISTORIES, {**REQUEST, "date_up": edge, "date_down": None}) for edge in NO_EDGES],
        (HISTORIES, {**REQUEST, "date_up": None, "date_down": None, "cursor": ""}),
    ],
)
def test_a_body_that_breaks_its_schema_is_refused(
    client: Client, login: Login, path: str, body: object
) -> None:
    assert_refused(client.post(path, json=body, headers=login()), 400, "invalid_body")


@pytest.mark.parametrize("edge", [None, INSTANT])
def test_a_history_frame_is_null_or_two_instants(
    client: Client, login: Login, edge: str | None
) -> None:
    body = {**REQUEST, "date_up": edge, "date_down": edge, "cursor": "c"}
    assert client.post(HISTORIES, json=body, headers=login()).status_code == 202


@pytest.mark.parametrize(
    "raw_body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"queue_name":"\xed\xa0\x80"}',
        b'{"queue_name":NaN}',
        b"[" * 100_000,
        b"\xef\xbb\xbf{}",
        json.dumps(REQUEST).encode("utf-16"),
        b'{"x":' + b"9" * 5000 + b"}",
    ],
)
def test_a_body_that_is_no_json_is_refused(client: Client, login: Login, raw_body: bytes) -> None:
    headers = {**login(), "Content-Type": "application/json"}
    assert_refused(client.post(UTILS, data=raw_body, headers=headers), 400, "invalid_body")


def test_a_content_type_is_taken_with_its_parameters_or_not_at_all(
    client: Client, login: Login
) -> None:
    body = json.dumps(REQUEST)
    for headers in ({}, {"Content-Type": "application/json; charset=utf-8"}):
        answer = client.post(UTILS, data=body, headers={**login(), **headers})
        assert answer.status_code == 202


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"],
)
def test_another_content_type_reaches_no_queue(
    client: Client, queues: MemoryQueues, login: Login, content_type: str
) -> None:
    raw_body = f"Action=SendMessage&MessageBody={QUEUE_NAME}"
    headers = {**login(), "Content-Type": content_type}
    assert_refused(
        client.post(UTILS, data=raw_body, headers=headers), 415, "unsupported_media_type"
    )
    assert queues.messages[f"{PREFIX}-utils"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/nothing"),
        ("GET", "/auth"),
        ("PUT", "/auth"),
        ("HEAD", "/auth"),
        ("POST", f"/auth/{QUEUE_NAME}"),
        ("POST", f"/apartments/{APARTMENT}/other"),
        ("POST", "/apartments//utils"),
        ("POST", f"//evil.example{UTILS}"),
        ("GET", f"{UTILS}/{QUEUE_NAME}/x"),
        ("BREW", "/auth"),
    ],
)
def test_an_unknown_route_is_not_found(client: Client, method: str, path: str) -> None:
    answer = client.open(
        "/", method=method, environ_overrides={"REQUEST_URI": path, "RAW_URI": path}
    )
    assert answer.status_code == 404
    assert method == "HEAD" or (answer.json or {})["code"] == "route_not_found"


@pytest.mark.parametrize("path", ["/auth/%ff", "/auth/%c3%28", "/auth/%ed%a0%80"])
def test_a_path_that_is_no_utf8_is_refused(client: Client, path: str) -> None:
    answer = client.open("/", environ_overrides={"REQUEST_URI": path, "RAW_URI": path})
    assert_refused(answer, 400, "invalid_parameter")


@pytest.mark.parametrize("query", ["receipt=%ff", "receipt=%ed%a0%80"])
def test_a_query_that_is_no_utf8_is_refused(client: Client, query: str) -> None:
    answer = client.delete(f"/auth/{QUEUE_NAME}", query_string=query)
    assert_refused(answer, 400, "invalid_parameter")


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])), st.binary(max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_request_line_or_body_is_our_fault(client: Client, path: str, body: bytes) -> None:
    uri = f"/auth/{path}"
    answer = client.open(
        "/",
        method="POST",
        data=body,
        query_string=path,
        environ_overrides={"REQUEST_URI": uri, "RAW_URI": uri},
    )
    assert answer.status_code < 500


def test_a_body_over_ten_megabytes_is_too_large(client: Client, login: Login) -> None:
    headers = {**login(), "Content-Type": "application/json"}
    answer = client.post(UTILS, data=b" " * (MAX_BODY_BYTES + 1), headers=headers)
    assert_refused(answer, 413, "body_too_large")


def test_a_body_of_256_kilobytes_arrives_untouched(
    client: Client, queues: MemoryQueues, login: Login
) -> None:
    body = json.dumps(REQUEST) + " " * 256 * 1024
    headers = {**login(), "Content-Type": "application/json"}
    assert client.post(UTILS, data=body, headers=headers).status_code == 202
    assert queues.messages[f"{PREFIX}-utils"][0]["Body"] == body


SHORTER = "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."


@pytest.mark.parametrize(
    ("method", "outcome", "status", "code"),
    [
        ("POST", error_answer(400, "InvalidMessageContents", ""), 400, "invalid_body"),
        ("POST", error_answer(400, "InvalidParameterValue", SHORTER), 413, "body_too_large"),
        ("POST", error_answer(400, "InvalidParameterValue", "x"), 400, "invalid_parameter"),
        ("POST", error_answer(403, "AccessDenied", "x"), 502, "upstream_error"),
        ("POST", Answer(503, {}), 502, "upstream_error"),
        ("POST", Answer(302, {}), 500, "internal_error"),
        ("GET", error_answer(403, "AccessDenied", "x"), 502, "upstream_error"),
        ("GET", Answer(400, {}), 502, "upstream_error"),
        ("GET", Answer(500, {}), 502, "upstream_error"),
        ("DELETE", error_answer(404, "ReceiptHandleIsInvalid", "x"), 400, "invalid_receipt"),
        ("DELETE", error_answer(400, "InvalidParameterValue", "x"), 400, "invalid_receipt"),
        ("DELETE", error_answer(400, "QueueDoesNotExist", "x"), 400, "invalid_receipt"),
        ("DELETE", error_answer(403, "AccessDenied", "x"), 502, "upstream_error"),
        ("GET", GatewayError("INTEGRATION_TIMEOUT"), 504, "upstream_timeout"),
        ("GET", GatewayError("INTEGRATION_FAILURE"), 502, "upstream_error"),
        ("GET", GatewayError("API_CONFIGURATION_ERROR"), 500, "internal_error"),
    ],
)
def test_what_sqs_says_never_reaches_the_client(
    serve: Callable[..., Client],
    login: Login,
    method: str,
    outcome: Answer | GatewayError,
    status: int,
    code: str,
) -> None:
    client = serve(backend=Broken(outcome))
    path = UTILS if method == "POST" else f"{UTILS}/{QUEUE_NAME}?receipt=x"
    body = REQUEST if method == "POST" else None
    answer = client.open(
        path, method=method, json=body, headers={**login(), "Content-Type": "application/json"}
    )
    assert_refused(answer, status, code)


def test_a_fault_of_our_own_is_answered_without_its_text(
    serve: Callable[..., Client], login: Login
) -> None:
    class Faulty:
        def call(self, path: str, body: str) -> Answer:
            raise RuntimeError("secret")

    answer = serve(backend=Faulty()).get(f"{UTILS}/{QUEUE_NAME}", headers=login())
    assert_refused(answer, 500, "internal_error")
    assert "secret" not in answer.text


def test_too_many_requests_are_told_to_wait(serve: Callable[..., Client]) -> None:
    now = [0.0]
    client = serve(throttle=TokenBucket(rate=1, burst=2, clock=lambda: now[0]))
    statuses = [client.post("/auth", json=LOGIN).status_code for _ in range(2)]
    refused = client.post("/auth", json=LOGIN)
    assert statuses == [202, 202]
    assert_refused(refused, 429, "too_many_requests")
    assert refused.headers["Retry-After"] == "1"
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
