"""Form bodies are read as SQS reads them, and what goes wrong on the way to it has its answer."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from tools.local.gateway.errors import GatewayError
from tools.local.gateway.sqs import Sqs, make_client

ENDPOINT = "http://127.0.0.1:9"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of an endpoint that is never asked; without credentials boto3 asks the network."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    return make_client(endpoint_url=ENDPOINT, region="eu-central-1")


@pytest.mark.parametrize("body", ["", "Action", "a=1&a=2", "a=%ff", "Action=PurgeQueue"])
def test_a_form_that_sqs_would_not_take_is_rejected_as_sqs_does(client: Any, body: str) -> None:
    answer = Sqs(client).call("123456789012/q", body)
    assert (answer.status, answer.body["Error"]["Code"]) == (400, "InvalidAction")


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (EndpointConnectionError(endpoint_url=ENDPOINT), "INTEGRATION_FAILURE"),
        (ReadTimeoutError(endpoint_url=ENDPOINT), "INTEGRATION_TIMEOUT"),
    ],
)
def test_sqs_that_does_not_answer_is_an_integration_that_failed(
    client: Any, problem: Exception, kind: str
) -> None:
    def fail(**_: object) -> None:
        raise problem

    client.meta.events.register("before-send.sqs", fail)
    with pytest.raises(GatewayError) as failed:
        Sqs(client).call("1/q", "Action=DeleteMessage&ReceiptHandle=x")
    assert failed.value.kind == kind
