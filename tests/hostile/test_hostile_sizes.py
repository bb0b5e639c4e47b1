"""Bodies and fields as large as they may be, and one larger, on the running service."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.hostile.routes import BODIES
from tests.support.api import Environment, Resident

# As docs/api.md says; SQS counts the attributes too, so a client stays a bit under it.
LARGEST_BODY = 1024 * 1024
ATTRIBUTES = 1024
A_UUID = str(UUID("5a3c1c9e-6a52-4f0e-8f8e-2d7b0c1f3a11"))
# Field, the largest value that is accepted, one that is larger, and the rest of the body.
FIELDS: list[Any] = [
    ("auth", "username", "u" * 128, "u" * 129, {"password": "x"}),
    ("auth", "password", "p" * 256, "p" * 257, {"username": "x"}),
    ("auth", "refresh_token", "r" * 8192, "r" * 8193, {}),
    ("payments", "bills_id", [A_UUID] * 1000, [A_UUID] * 1001, {}),
    ("payments", "expected_total_minor", 2**63 - 1, 2**63, {"bills_id": [A_UUID]}),
    ("payments", "asked_seconds_ago", 2**31 - 1, 2**31, {"bills_id": [A_UUID]}),
    ("histories", "cursor", "c" * 400, "c" * 401, BODIES["histories"]),
]


@pytest.fixture(scope="module")
def resident(stage: Environment) -> Resident:
    """Give somebody who sends large things."""
    return stage.resident()


def path_of(resident: Resident, operation: str) -> str:
    """Return where an operation is asked for."""
    return "/auth" if operation == "auth" else f"/apartments/{resident.home.apartment}/{operation}"


def post(resident: Resident, body: bytes, *, size: int = 0) -> httpx.Response:
    """Ask for debts with a body as it is, filled up to so many bytes."""
    headers = {**resident.caller.headers, "Content-Type": "application/json"}
    path = path_of(resident, "utils")
    return resident.caller.http.post(path, content=body.ljust(size), headers=headers)


def test_a_body_of_the_largest_size_is_answered(resident: Resident) -> None:
    body = json.dumps({"queue_name": resident.caller.queue_name}).encode()
    accepted = post(resident, body, size=LARGEST_BODY - ATTRIBUTES)
    assert resident.caller.parts(accepted)[0]["status"] == "done"


@pytest.mark.parametrize("more", [1, ATTRIBUTES, 9 * LARGEST_BODY, 10 * LARGEST_BODY])
def test_a_larger_body_is_too_large_and_reaches_nobody(resident: Resident, more: int) -> None:
    body = json.dumps({"queue_name": A_UUID}).encode()
    rejected = post(resident, body, size=LARGEST_BODY + more)
    assert (rejected.status_code, rejected.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(("operation", "name", "largest", "larger", "rest"), FIELDS)
def test_a_field_may_be_as_large_as_documented_and_no_larger(
    resident: Resident, operation: str, name: str, largest: Any, larger: Any, rest: Any
) -> None:
    path = path_of(resident, operation)
    accepted = resident.caller.post(path, {**rest, name: largest})
    assert resident.caller.parts(accepted)[0]["status"] == "rejected"
    rejected = resident.caller.post(path, {**rest, name: larger})
    assert (rejected.status_code, rejected.json()["code"]) == (400, "invalid_body")


@pytest.mark.parametrize(
    ("length", "code"), [(200, "bill_not_found"), (201, "invalid_idempotency_key")]
)
def test_a_key_of_two_hundred_characters_is_the_longest(
    resident: Resident, length: int, code: str
) -> None:
    answer = resident.caller.pay(resident.home.apartment, A_UUID, key="k" * length)
    assert answer["code"] == code


def test_a_deep_body_is_rejected_and_the_service_goes_on(resident: Resident) -> None:
    for body in (
        b"[" * 500_000,
        b'{"queue_name":' * 100_000,
        b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ):
        rejected = post(resident, body)
        assert (rejected.status_code, rejected.json()["code"]) == (400, "invalid_body")
    assert resident.caller.debts(resident.home.apartment)["total_minor"] == 0
