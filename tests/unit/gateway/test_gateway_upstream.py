"""What SQS answers becomes our own answer, in every shape that it comes in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client

from tests.unit.gateway.conftest import Login
from tests.unit.gateway.tools import QUEUE_NAME, REQUEST, UTILS, assert_rejected
from tools.local.gateway.errors import GatewayError
from tools.local.gateway.sqs import Answer, error_answer


class Broken:
    """A backend that answers or fails as it is told."""

    def __init__(self, outcome: Answer | Exception) -> None:
        self.outcome = outcome

    def call(self, path: str, body: str) -> Answer:
        """Answer or fail."""
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


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
        ("GET", RuntimeError("secret"), 500, "internal_error"),
    ],
)
def test_what_sqs_says_never_reaches_the_client(
    serve: Callable[..., Client],
    login: Login,
    method: str,
    outcome: Answer | Exception,
    status: int,
    code: str,
) -> None:
    client = serve(backend=Broken(outcome))
    path = UTILS if method == "POST" else f"{UTILS}/{QUEUE_NAME}?receipt=x"
    body = REQUEST if method == "POST" else None
    answer = client.open(
        path, method=method, json=body, headers={**login(), "Content-Type": "application/json"}
    )
    assert_rejected(answer, status, code)
    assert "secret" not in answer.text
