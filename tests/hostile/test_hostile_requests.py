"""Hostile bodies, paths, keys and claims on their whole way to SQL, logs and replies."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.logs import JsonFormatter
from chalicelib.operations import OPERATIONS
from tests.hostile.alphabets import CANARY, bodies, odd_values, texts, utf8_texts
from tests.hostile.pipeline import Pipeline, Sent
from tests.support.databases import Server
from tests.support.ledger import Home, Ledger
from tests.support.records import a_record

QUEUE = str(UUID("0f8fad5b-d9cb-469f-a165-70867728950e"))
VALID: dict[str, dict[str, Any]] = {
    "auth": {"username": "anna", "password": "Example-Passw0rd-1", "queue_name": QUEUE},
    "utils": {"queue_name": QUEUE},
    "payments": {"bills_id": [str(uuid4())], "expected_total_minor": 1, "queue_name": QUEUE},
    "histories": {"date_up": None, "date_down": None, "cursor": None, "queue_name": QUEUE},
}
often = settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
each_operation = pytest.mark.parametrize("operation", sorted(OPERATIONS))


class Environment:
    """A pipeline, the ledger behind it and what was logged on the way."""

    def __init__(self, pipeline: Pipeline, ledger: Ledger, home: Home) -> None:
        self.pipeline, self.ledger, self.home = pipeline, ledger, home
        self.apartment = str(home.apartment)
        self.lines: list[str] = []

    def send(
        self,
        operation: str,
        body: bytes,
        *,
        apartment: str | None = None,
        key: str | None = None,
    ) -> Sent:
        """Send a request and see that everything about it is as it must be."""
        self.lines.clear()
        where = self.apartment if apartment is None else apartment
        sent = self.pipeline.send(operation, body, apartment=where, key=key)
        assert CANARY not in "\n".join(self.lines)
        assert all("\n" not in line and json.loads(line) for line in self.lines)
        self._check_answer(sent)
        return sent

    def _check_answer(self, sent: Sent) -> None:
        answer = json.loads(sent.answer.data)
        if sent.message is None:
            assert sent.answer.status_code in (400, 413, 415)
            assert set(answer) == {"code", "message", "request_id"}
            assert CANARY not in sent.answer.text
            return
        assert not sent.came_back
        assert "request failed" not in "".join(self.lines), self.lines
        [(_, written)] = sent.replies.items()
        assert all(text.isascii() and CANARY not in text for text in written)
        replies = self.pipeline.polled(sent)
        assert [{k: v for k, v in one.items() if k != "receipt"} for one in replies] == [
            json.loads(text) for text in written
        ]
        assert {(one["request_id"], one["status"]) for one in replies} <= {
            (answer["request_id"], status) for status in ("done", "rejected")
        }


class _Lines(logging.Handler):
    """Keeps each line as the functions write it."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines
        self.setFormatter(JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))


@pytest.fixture(scope="module")
def env(postgres_server: Server) -> Iterator[Environment]:
    """Give a resident with a bill, and see that hostility leaves the ledger as it was."""
    with postgres_server.database() as database:
        ledger = Ledger(database)
        home = ledger.home()
        bill, env = ledger.bill(home), Environment(Pipeline(database, home.subject), ledger, home)
        handler = _Lines(env.lines)
        loggers = [logging.getLogger(name) for name in ("chalicelib", "billing_app", "tools")]
        for logger in loggers:
            logger.setLevel(logging.INFO)
            logger.addHandler(handler)
        yield env
        for logger in loggers:
            logger.removeHandler(handler)
        assert ledger.open_bills(home) == {bill}
        assert ledger.violations() == []


@each_operation
@often
@given(data=st.data())
def test_a_body_is_rejected_or_answered_and_shown_nowhere(
    env: Environment, operation: str, data: st.DataObject
) -> None:
    body = data.draw(bodies(VALID[operation]))
    sent = env.send(operation, body)
    if sent.message:
        assert sent.message["Body"].encode() == body


@each_operation
@often
@given(text=texts)
def test_text_in_any_field_is_a_value_and_nothing_else(
    env: Environment, operation: str, text: str
) -> None:
    for name in VALID[operation]:
        env.send(operation, json.dumps({**VALID[operation], name: text}).encode())


@pytest.mark.parametrize("operation", sorted({*OPERATIONS} - {"auth"}))
@often
@given(apartment=utf8_texts)
def test_an_apartment_of_any_spelling_is_nobodys(
    env: Environment, operation: str, apartment: str
) -> None:
    body = json.dumps(VALID[operation]).encode()
    sent = env.send(operation, body, apartment=quote(apartment, safe=""))
    if sent.message:
        assert sent.message["attributes"]["apartment_id"] == apartment
        [(_, [text])] = sent.replies.items()
        assert json.loads(text)["code"] == "apartment_not_found"


@often
@given(key=st.text(st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n")))
def test_a_key_of_any_kind_is_a_key_or_rejected(env: Environment, key: str) -> None:
    sent = env.send("payments", json.dumps(VALID["payments"]).encode(), key=key)
    if sent.message:
        attributes = sent.message["attributes"]
        assert set(attributes) <= {"request_id", "subject", "apartment_id", "idempotency_key"}
        assert attributes["subject"] == str(env.home.subject)


@often
@given(
    fields=st.lists(
        st.one_of(
            odd_values,
            st.sampled_from([f'"{uuid4().hex}"', '"2026-11-22T10:00:00.000000Z"', "1"]),
        ),
        max_size=5,
    ),
    position=st.integers(0, 4),
)
def test_a_cursor_that_was_made_up_is_rejected(
    env: Environment, fields: list[str], position: int
) -> None:
    good = [f'"{env.home.apartment.hex}"', *['"2026-11-22T10:00:00.000000Z"'] * 2, "0"]
    good[position : position + 1] = fields
    cursor = base64.urlsafe_b64encode(f"[{','.join(good)}]".encode()).decode()[:400]
    sent = env.send("histories", json.dumps({**VALID["histories"], "cursor": cursor}).encode())
    assert sent.message


ENDS_OF_TIME = ["0001-01-01T00:00:00.000000Z", "1970-01-01T00:00:00.000000Z"]
ENDS_OF_TIME += ["9999-12-31T23:59:59.999999Z", "2026-02-30T00:00:00.000000Z"]


@pytest.mark.parametrize("down", ENDS_OF_TIME)
@pytest.mark.parametrize("up", ENDS_OF_TIME)
def test_a_frame_at_the_ends_of_time_is_answered(env: Environment, down: str, up: str) -> None:
    body = {**VALID["histories"], "date_down": down, "date_up": up}
    assert env.send("histories", json.dumps(body).encode()).message


@each_operation
@often
@given(data=st.data())
def test_a_function_answers_whatever_a_gateway_would_let_pass(
    env: Environment, operation: str, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(VALID[operation])))
    fields = {key: json.dumps(value) for key, value in VALID[operation].items() if key != name}
    written = [f'"{key}":{value}' for key, value in {**fields, name: data.draw(odd_values)}.items()]
    record = a_record(
        "{" + ",".join(written) + "}", subject=env.home.subject, apartment=env.home.apartment
    )
    env.lines.clear()
    came_back, replies = env.pipeline.handle(operation, record)
    assert CANARY not in "".join(env.lines)
    assert "request failed" not in "".join(env.lines), env.lines
    if not replies:
        # It does not say where the answer goes, or is no JSON to Python: a dead letter, no crash.
        assert any('"undeliverable"' in line for line in env.lines)
        assert came_back == (operation != "auth")
