"""The AWS integration for SQS: reads a form body as SQS does, asks SQS, answers as SQS does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError

from tools.local.clients import credentials
from tools.local.gateway.errors import GatewayError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_ATTRIBUTE = re.compile(r"MessageAttribute\.(\d+)\.(Name|Value\.DataType|Value\.StringValue)")
# What SQS takes in bodies and attribute values: https://www.w3.org/TR/REC-xml/#charsets
_REJECTED_CHARACTER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Letters, digits and punctuation, as the API reference of SendMessage has it.
_GROUP = re.compile("[!-~]{1,128}")

# API Gateway gives an integration 29 seconds and asks once. A poll holds its connection for 20 s.
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=29,
    retries={"total_max_attempts": 1},
    max_pool_connections=512,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an integration answered: HTTP status and JSON body."""

    status: int
    body: Mapping[str, Any]


def parse_form(body: str) -> dict[str, str]:
    """Read a form body.

    Raises:
        ValueError: It is malformed or names a parameter twice.
    """
    pairs = parse_qsl(body, keep_blank_values=True, strict_parsing=True, errors="strict")
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise ValueError("a parameter is named twice")
    return parameters


def message_attributes(parameters: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Collect MessageAttribute.N.* by name."""
    numbered: dict[str, dict[str, str]] = {}
    for name, value in parameters.items():
        if found := _ATTRIBUTE.fullmatch(name):
            numbered.setdefault(found[1], {})[found[2].removeprefix("Value.")] = value
    return {entry.pop("Name"): entry for entry in numbered.values()}


class Sqs:
    """Asks SQS what a form body says; answers in the JSON that SQS sends to API Gateway."""

    def __init__(self, client: SQSClient) -> None:
        self._client = client
        self._actions: dict[str, Callable[[str, Mapping[str, str]], Answer]] = {
            "SendMessage": self._send,
            "ReceiveMessage": self._receive,
            "DeleteMessage": self._delete,
        }

    def call(self, path: str, body: str) -> Answer:
        """Send the body to the queue at path (`account/name`).

        Raises:
            GatewayError: SQS can't be reached or takes too long.
        """
        parameters = _read(body)
        action = self._actions.get(parameters.get("Action", ""))
        if action is None:
            return error_answer(400, "InvalidAction", "The action is not valid for this endpoint.")
        try:
            return action(f"{self._client.meta.endpoint_url}/{path}", parameters)
        except ClientError as error:
            return _client_error(error)
        except (ReadTimeoutError, ConnectTimeoutError) as error:
            raise GatewayError("INTEGRATION_TIMEOUT", type(error).__name__) from error
        except BotoCoreError as error:
            raise GatewayError("INTEGRATION_FAILURE", type(error).__name__) from error

    def _send(self, queue_url: str, parameters: Mapping[str, str]) -> Answer:
        attributes = message_attributes(parameters)
        group = {name: parameters[name] for name in ("MessageGroupId",) if name in parameters}
        rejection = _rejected(parameters["MessageBody"], attributes, *group.values())
        if rejection:
            return rejection
        sent = self._client.send_message(
            QueueUrl=queue_url,
            MessageBody=parameters["MessageBody"],
            MessageAttributes=attributes,  # type: ignore[arg-type]
            **group,  # type: ignore[arg-type]
        )
        return _answer("SendMessage", {"MessageId": sent["MessageId"]})

    def _receive(self, queue_url: str, parameters: Mapping[str, str]) -> Answer:
        received = self._client.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=int(parameters.get("MaxNumberOfMessages", "1")),
            WaitTimeSeconds=int(parameters.get("WaitTimeSeconds", "0")),
        )
        # An empty receive reads null, not an empty list.
        return _answer("ReceiveMessage", {"messages": received.get("Messages") or None})

    def _delete(self, queue_url: str, parameters: Mapping[str, str]) -> Answer:
        receipt = parameters.get("ReceiptHandle", "")
        if not receipt:
            return error_answer(400, "MissingParameter", "The request needs a ReceiptHandle.")
        self._client.delete_message(QueueUrl=queue_url, ReceiptHandle=receipt)
        return Answer(200, {"DeleteMessageResponse": {"ResponseMetadata": {}}})


def error_answer(status: int, code: str, message: str) -> Answer:
    """Make an error as SQS writes it."""
    return Answer(status, {"Error": {"Code": code, "Message": message, "Type": "Sender"}})


def _read(body: str) -> dict[str, str]:
    try:
        return parse_form(body)
    except ValueError:
        return {"Action": "MalformedQueryString"}


def _rejected(
    body: str, attributes: Mapping[str, Mapping[str, str]], *groups: str
) -> Answer | None:
    if _REJECTED_CHARACTER.search(body):
        return error_answer(400, "InvalidMessageContents", "The message has invalid characters.")
    values = [entry.get("StringValue", "") for entry in attributes.values()]
    if not all(values) or any(_REJECTED_CHARACTER.search(value) for value in values):
        return error_answer(400, "InvalidParameterValue", "A message attribute is not valid.")
    if not all(_GROUP.fullmatch(group) for group in groups):
        return error_answer(400, "InvalidParameterValue", "The MessageGroupId is not valid.")
    return None


def _answer(action: str, result: Mapping[str, Any]) -> Answer:
    return Answer(200, {f"{action}Response": {f"{action}Result": result, "ResponseMetadata": {}}})


def _client_error(error: ClientError) -> Answer:
    response: Any = error.response
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    code = response.get("Error", {}).get("Code", "InternalFailure")
    return error_answer(status, code, response.get("Error", {}).get("Message", ""))


def make_client(*, endpoint_url: str, region: str) -> SQSClient:
    """Make a client with the credentials of the environment, or made-up ones."""
    made_up: Any = {name.lower(): value for name, value in credentials().items()}
    return boto3.client(
        "sqs", endpoint_url=endpoint_url, region_name=region, config=_CONFIG, **made_up
    )
