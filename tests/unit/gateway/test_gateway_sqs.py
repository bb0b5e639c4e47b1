"""Form bodies are read as SQS reads them, and what goes wrong on the way to it has its answer."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from tools.local.gateway.errors import GatewayError
from tools.local.gateway.sqs import Sqs, make_client

ENDPOINT = "http://127.0.0.1:9"
VERSION = "&Version=2012-11-05"
SEND = f"Action=SendMessage{VERSION}&MessageBody=x"


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
        Sqs(client).call("1/q", f"Action=DeleteMessage{VERSION}&ReceiptHandle=x")
    assert failed.value.kind == kind


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (f"{SEND}&MessageGroupID=x", "MessageGroupID"),
        (f"{SEND}&MessageAttribute.1.Value.BinaryValue=x", "MessageAttribute.1.Value.BinaryValue"),
        (f"{SEND}&MessageSystemAttribute.1.Name=x", "MessageSystemAttribute.1.Name"),
        (f"Action=ReceiveMessage{VERSION}&WaitSeconds=20", "WaitSeconds"),
        (f"Action=DeleteMessage{VERSION}&ReceiptHandle=x&Id=1", "Id"),
        ("Action=ReceiveMessage&Version=2011-10-01", "Version"),
        ("Action=ReceiveMessage", "Version"),
    ],
)
def test_a_parameter_that_would_be_lost_is_an_error_that_names_it(
    client: Any, body: str, named: str
) -> None:
    with pytest.raises(GatewayError) as failed:
        Sqs(client).call("1/q", body)
    assert failed.value.kind == "API_CONFIGURATION_ERROR"
    assert f" {named}:" in f" {failed.value.reason}".replace("its ", "")


def attribute(number: int, name: str, value: str = "x", kind: str = "String") -> str:
    start = f"&MessageAttribute.{number}"
    return f"{start}.Name={name}{start}.Value.DataType={kind}{start}.Value.StringValue={value}"


@pytest.mark.parametrize(
    "attributes",
    [
        "".join(attribute(number, f"a{number}") for number in range(11)),
        attribute(1, "one") + attribute(2, "one"),
        "&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=x",
        *(attribute(1, name) for name in ("AWS.x", "amazon.x", ".x", "x.", "a..b", "a%20b")),
        attribute(1, "a" * 257),
        attribute(1, "a", kind="Text"),
        attribute(1, "a", value=""),
        attribute(1, "a", value="%00"),
        attribute(1, "a", value="x" * 1_048_576),
        "&MessageGroupId=%20",
    ],
)
def test_a_message_that_sqs_would_not_take_is_rejected(client: Any, attributes: str) -> None:
    answer = Sqs(client).call("1/q", SEND + attributes)
    assert (answer.status, answer.body["Error"]["Code"]) == (400, "InvalidParameterValue")


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (f"{SEND}&MessageGroupId=g&DelaySeconds=3", {"MessageGroupId": "g", "DelaySeconds": 3}),
        (
            f"Action=ReceiveMessage{VERSION}&VisibilityTimeout=7&WaitTimeSeconds=0",
            {"VisibilityTimeout": 7, "WaitTimeSeconds": 0},
        ),
    ],
)
def test_every_known_parameter_reaches_sqs(client: Any, body: str, asked: Any) -> None:
    seen: dict[str, Any] = {}
    client.meta.events.register(
        "provide-client-params.sqs", lambda params, **_: seen.update(params)
    )
    client.meta.events.register("before-send.sqs", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Sqs(client).call("1/q", body)
    assert asked.items() <= seen.items()
