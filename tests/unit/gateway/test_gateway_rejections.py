"""What the gateway rejects by itself: malformed bodies, types, paths and queries."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import Client

from tests.unit.gateway.conftest import Login
from tests.unit.gateway.tools import (
    APARTMENT,
    HISTORIES,
    LOGIN,
    PAYMENTS,
    QUEUE_NAME,
    REQUEST,
    UTILS,
    Queues,
    assert_rejected,
)

INSTANT = "2026-11-22T10:00:00.000000Z"
NO_EDGES: list[Any] = [
    "2026-11-22",
    "2026-11-22T10:00:00Z",
    f"{INSTANT}\n",
    "",
    5,
    1.5,
    True,
    {},
    [],
    [None],
]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/auth", {}),
        ("/auth", []),
        ("/auth", None),
        ("/auth", "x"),
        ("/auth", {"username": "anna", "password": "secret"}),
        ("/auth", {**LOGIN, "queue_name": "x"}),
        ("/auth", {**LOGIN, "queue_name": QUEUE_NAME + "0"}),
        ("/auth", {**LOGIN, "queue_name": QUEUE_NAME + "\n"}),
        ("/auth", {**LOGIN, "queue_name": None}),
        ("/auth", {**LOGIN, "queue_name": "00000000-0000-0000-0000-000000000000"}),
        ("/auth", {**LOGIN, "queue_name": "6f0fad5b-d9cb-169f-a165-70867728950e"}),
        ("/auth", {**LOGIN, "refresh_token": "x"}),
        ("/auth", {**LOGIN, "subject": "victim"}),
        ("/auth", {**LOGIN, "password": 1}),
        ("/auth", {**LOGIN, "password": ""}),
        (UTILS, {}),
        (UTILS, {**REQUEST, "x": 1}),
        (PAYMENTS, REQUEST),
        (PAYMENTS, {**REQUEST, "bills_id": []}),
        (PAYMENTS, {**REQUEST, "bills_id": ["x"]}),
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
def test_a_body_that_breaks_its_schema_is_rejected(
    client: Client, queues: Queues, login: Login, path: str, body: object
) -> None:
    assert_rejected(client.post(path, json=body, headers=login()), 400, "invalid_body")
    assert queues.requests() == []


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
def test_a_body_that_is_not_json_is_rejected(client: Client, login: Login, raw_body: bytes) -> None:
    headers = {**login(), "Content-Type": "application/json"}
    assert_rejected(client.post(UTILS, data=raw_body, headers=headers), 400, "invalid_body")


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"],
)
def test_another_content_type_reaches_no_queue(
    client: Client, queues: Queues, login: Login, content_type: str
) -> None:
    raw_body = f"Action=SendMessage&MessageBody={QUEUE_NAME}"
    headers = {**login(), "Content-Type": content_type}
    assert_rejected(
        client.post(UTILS, data=raw_body, headers=headers), 415, "unsupported_media_type"
    )
    assert queues.requests() == []


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


@pytest.mark.parametrize("escape", ["%ff", "%c3%28", "%ed%a0%80"])
def test_a_path_or_query_that_is_not_utf8_is_rejected(client: Client, escape: str) -> None:
    path = f"/auth/{escape}"
    for answer in (
        client.open("/", environ_overrides={"REQUEST_URI": path, "RAW_URI": path}),
        client.delete(f"/auth/{QUEUE_NAME}", query_string=f"receipt={escape}"),
    ):
        assert_rejected(answer, 400, "invalid_parameter")
