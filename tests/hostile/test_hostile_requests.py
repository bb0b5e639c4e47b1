"""Hostile bodies, paths, keys and claims on their whole way to SQL, logs and replies."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.logs import JsonFormatter
from chalicelib.operations import OPERATIONS
from tests.hostile.alphabets import bodies, odd_values, often, texts, utf8_texts, written
from tests.hostile.service import HostileService
from tests.support.databases import Server
from tests.support.ledger import Ledger
from tests.support.records import a_record
from tools.local.gateway.document import example_bodies

QUEUE = str(UUID("6f0fad5b-d9cb-469f-a165-70867728950e"))
OPTIONAL: dict[str, dict[str, Any]] = {
    "payments": {"expected_total_minor": 1, "asked_seconds_ago": 1},
    "histories": {"cursor": None},
}
VALID = {
    operation: {**body, **OPTIONAL.get(operation, {}), "queue_name": QUEUE}
    for operation, body in example_bodies().items()
}
each_operation = pytest.mark.parametrize("operation", sorted(OPERATIONS))


@pytest.fixture(scope="module")
def attacked(postgres_server: Server) -> Iterator[HostileService]:
    """Give a resident with a bill, and see that hostility leaves the ledger as it was."""
    with postgres_server.database() as database:
        ledger = Ledger(database)
        home = ledger.home()
        bill = ledger.bill(home)
        yield HostileService(database, home)
        assert ledger.open_bills(home) == {bill}
        assert ledger.violations() == []


@pytest.fixture
def service(attacked: HostileService, caplog: pytest.LogCaptureFixture) -> HostileService:
    """Give the service, whose log is written as the functions write it."""
    caplog.handler.setFormatter(JsonFormatter())
    caplog.set_level(logging.INFO)
    attacked.log = caplog
    return attacked


def send(service: HostileService, operation: str, **changes: Any) -> Any:
    """Send a request that is valid but for some fields."""
    return service.send(operation, json.dumps({**VALID[operation], **changes}).encode())


@each_operation
@often
@given(data=st.data())
def test_a_body_is_rejected_or_answered_and_shown_nowhere(
    service: HostileService, operation: str, data: st.DataObject
) -> None:
    body = data.draw(bodies(VALID[operation]))
    if accepted := service.send(operation, body):
        assert accepted.body.encode() == body


@each_operation
@often
@given(text=texts)
def test_text_in_any_field_is_a_value_and_nothing_else(
    service: HostileService, operation: str, text: str
) -> None:
    for name in VALID[operation]:
        send(service, operation, **{name: text})


@pytest.mark.parametrize("operation", sorted({*OPERATIONS} - {"auth"}))
@often
@given(apartment=utf8_texts)
def test_an_apartment_of_any_spelling_is_nobodys(
    service: HostileService, operation: str, apartment: str
) -> None:
    body = json.dumps(VALID[operation]).encode()
    if accepted := service.send(operation, body, apartment=quote(apartment, safe="")):
        assert accepted.attributes["apartment_id"] == apartment
        assert accepted.reply["code"] == "apartment_not_found"


@often
@given(key=st.text(st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n")))
def test_a_key_of_any_kind_is_a_key_or_rejected(service: HostileService, key: str) -> None:
    if accepted := service.send("payments", json.dumps(VALID["payments"]).encode(), key=key):
        names = {"request_id", "subject", "apartment_id", "idempotency_key", "requested_at"}
        assert set(accepted.attributes) <= names
        assert accepted.attributes["subject"] == str(service.home.subject)


ENDS_OF_TIME = ["0001-01-01T00:00:00.000000Z", "1970-01-01T00:00:00.000000Z"]
ENDS_OF_TIME += ["9999-12-31T23:59:59.999999Z", "2026-02-30T00:00:00.000000Z"]


@pytest.mark.parametrize("down", ENDS_OF_TIME)
@pytest.mark.parametrize("up", ENDS_OF_TIME)
def test_a_frame_at_the_ends_of_time_is_answered(
    service: HostileService, down: str, up: str
) -> None:
    assert send(service, "histories", date_down=down, date_up=up)


@each_operation
@often
@given(data=st.data())
def test_a_function_answers_whatever_a_gateway_would_let_pass(
    service: HostileService, operation: str, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(VALID[operation])))
    body = written(VALID[operation], name, data.draw(odd_values))
    service.log.clear()
    came_back, replies = service.work(operation, a_record(body, **service.home._asdict()))
    if not replies:
        # It does not say where the answer goes: a dead letter, no crash.
        assert name == "queue_name"
        assert '"undeliverable"' in service.log.text
        assert came_back == (operation != "auth")
