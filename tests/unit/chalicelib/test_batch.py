"""Partial batch answers: what comes back, what is answered, what is dropped."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from marshmallow import INCLUDE, Schema

from billing_app.adapters.deadline import Deadline
from billing_app.domain.errors import Rejection, Unavailable
from chalicelib.batch import Batch
from chalicelib.logs import JsonFormatter
from chalicelib.operations import OPERATIONS, Body, Dependencies
from chalicelib.records import Request
from chalicelib.settings import SettingsError
from tests.support.fakes import FakeDependencies, FakeReplyQueues, FakeRequestQueue
from tests.support.records import QUEUE, a_record

SUBJECT = uuid4()


class AnyBody(Schema):
    """Whatever a test sends."""

    class Meta:  # noqa: D106 - marshmallow reads it
        unknown = INCLUDE


class Fixture:
    """A batch of an operation whose work does what the body's `do` says."""

    def __init__(self, operation: str = "utils") -> None:
        self.queues = FakeReplyQueues()
        self.requests = FakeRequestQueue()
        self.done: list[str] = []
        self.batch = Batch(
            replace(OPERATIONS[operation], schema=AnyBody, work=self.work),
            FakeDependencies(),
            requests=self.requests,
            queues=self.queues,
            deadline=Deadline(),
            max_receive_count=3,
        )

    def work(self, request: Request, body: Body, _to: Dependencies) -> list[str]:
        what = body.get("do")
        if what == "reject":
            raise Rejection("bill_not_found", data={"bills": ["b"]})
        if what == "outage":
            raise Unavailable("database: OperationalError 08006")
        if what == "misconfigured":
            raise SettingsError("CACHE_SECRET_ID is not set")
        if what == "bug":
            raise ZeroDivisionError("s3cret-value")
        self.done.append(request.request_id)
        return ['{"answer":1}', '{"answer":2}']

    def handle(self, *records: dict[str, Any]) -> list[str]:
        answer = self.batch.handle({"Records": list(records)})
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def replies(self) -> list[dict[str, Any]]:
        messages = [text for texts in self.queues.messages.values() for text in texts]
        return [json.loads(text) for text in messages]


def utils_record(**body: Any) -> dict[str, Any]:
    return a_record(body, subject=SUBJECT, apartment=uuid4())


def test_each_record_of_a_batch_stands_alone() -> None:
    batch = Fixture()
    good, outage, rejected = utils_record(), utils_record(do="outage"), utils_record(do="reject")
    poison = a_record("not json", subject=SUBJECT)
    assert batch.handle(outage, good, poison, rejected) == [
        outage["messageId"],
        poison["messageId"],
    ]
    assert [(r["status"], r["code"], r["part"], r["parts"]) for r in batch.replies()] == [
        ("done", None, 1, 2),
        ("done", None, 2, 2),
        ("rejected", "bill_not_found", 1, 1),
    ]


def test_a_reply_goes_to_the_queue_of_the_verified_subject() -> None:
    batch = Fixture()
    batch.handle(a_record({"subject": str(uuid4())}, subject=SUBJECT, apartment=uuid4()))
    assert list(batch.queues.messages) == [f"bill-test-r-{SUBJECT.hex}-{QUEUE.hex}"]


def test_a_login_is_answered_on_the_login_queue() -> None:
    batch = Fixture("auth")
    batch.handle(a_record({}))
    assert list(batch.queues.messages) == [f"bill-test-login-{QUEUE.hex}"]


@pytest.mark.parametrize(
    ("operation", "failure", "code"),
    [
        ("utils", "outage", "service_unavailable"),
        ("utils", "bug", "internal_error"),
        ("payments", "outage", "payment_outcome_unknown"),
        ("payments", "bug", "payment_outcome_unknown"),
    ],
)
def test_the_last_receive_tells_the_user_and_leaves_for_the_dead_letters(
    operation: str, failure: str, code: str
) -> None:
    batch = Fixture(operation)
    for count in (1, 2, 3):
        record = a_record({"do": failure}, subject=SUBJECT, apartment=uuid4(), receive_count=count)
        assert batch.handle(record) == [record["messageId"]]
        assert len(batch.replies()) == (1 if count == 3 else 0)
    assert [(r["status"], r["code"]) for r in batch.replies()] == [("failed", code)]


def test_a_function_that_lacks_a_setting_fails_and_names_it() -> None:
    """Nothing is answered or dropped for the operator's mistake."""
    batch = Fixture("auth")
    with pytest.raises(SettingsError, match="CACHE_SECRET_ID"):
        batch.handle(a_record({"do": "misconfigured"}, receive_count=3))
    assert batch.replies() == []


def test_a_login_is_dropped_after_its_last_receive_so_no_password_rests_anywhere() -> None:
    batch = Fixture("auth")
    again, last = a_record({"do": "outage"}), a_record({"do": "outage"}, receive_count=3)
    assert batch.handle(again, last) == [again["messageId"]]
    assert [reply["code"] for reply in batch.replies()] == ["service_unavailable"]
    assert batch.handle(a_record("no json, but maybe a password")) == []


def test_work_whose_reply_can_not_be_sent_comes_back_and_is_answered_again() -> None:
    batch = Fixture("payments")
    record = utils_record()
    batch.queues.down = True
    assert batch.handle(record) == [record["messageId"]]
    batch.queues.down = False
    assert batch.handle(record) == []
    assert len(batch.done) == 2
    assert len(batch.replies()) == 2


def test_a_reply_whose_queue_was_deleted_a_moment_ago_comes_as_soon_as_there_can_be_another() -> (
    None
):
    batch = Fixture("payments")
    batch.queues.held = timedelta(seconds=40)
    record = utils_record()
    assert batch.handle(record) == [record["messageId"]]
    assert batch.requests.waits == {"handle": timedelta(seconds=40)}
    batch.queues.held = None
    assert batch.handle(record) == []
    assert len(batch.replies()) == 2


def test_a_record_without_a_verified_subject_is_never_worked_on() -> None:
    batch = Fixture()
    record = a_record({"subject": str(SUBJECT)}, apartment=uuid4())
    assert batch.handle(record) == [record["messageId"]]
    assert batch.done == []


def test_the_text_of_an_exception_reaches_neither_user_nor_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    batch = Fixture()
    batch.handle(a_record({"do": "bug"}, subject=SUBJECT, apartment=uuid4(), receive_count=3))
    lines = [JsonFormatter().format(record) for record in caplog.records]
    assert any("ZeroDivisionError" in line for line in lines)
    assert "s3cret-value" not in "".join(lines) + json.dumps(batch.replies())


def test_the_log_says_how_a_request_went_and_nothing_that_it_held(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    batch = Fixture()
    batch.handle(
        a_record({"do": "s3cret-value"}, subject=SUBJECT, apartment=uuid4(), request_id="the-id")
    )
    [line] = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
    assert set(line) - {"time", "level", "message", "logger"} == {
        "request_id", "operation", "status", "code", "parts", "receive_count", "acknowledged",
        "milliseconds",
    }  # fmt: skip
    assert (line["request_id"], line["status"], line["parts"]) == ("the-id", "done", 2)
    assert "s3cret-value" not in json.dumps(line)


def test_tokens_wait_for_their_owner_five_minutes_and_other_answers_fifteen() -> None:
    for name, operation in OPERATIONS.items():
        minutes = 5 if name == "auth" else 15
        assert operation.reply_retention == timedelta(minutes=minutes)
