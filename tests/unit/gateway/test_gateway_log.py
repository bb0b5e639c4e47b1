"""The gateway's log has a line for each request, and no secret."""

from __future__ import annotations

import json
import logging

import pytest
from werkzeug.test import Client

from tests.unit.gateway.conftest import Login
from tests.unit.gateway.tools import APARTMENT, QUEUE_NAME


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
