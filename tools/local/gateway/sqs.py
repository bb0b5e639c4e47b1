"""The AWS integration for SQS: reads a form body as SQS does, asks SQS, answers as SQS does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import starmap
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
_VERSION = "2012-11-05"
# What each action takes, beside attributes: all else would be lost on the way, and is refused.
_PARAMETERS: Mapping[str, Mapping[str, type[str | int]]] = {
    "SendMessage": {"MessageBody": str, "MessageGroupId": str, "DelaySeconds": int},
    "ReceiveMessage": {
        "MaxNumberOfMessages": int,
        "WaitTimeSeconds": int,
        "VisibilityTimeout": int,
    },
    "DeleteMessage": {"ReceiptHandle": str},
}
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
_MAX_BYTES = 1_048_576
_MAX_ATTRIBUTES = 10
_ATTRIBUTE_NAME = re.compile(r"(?!(?i:aws|amazon)\.)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
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


Json = dict[str, Any]


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
    """Collect MessageAttribute.N.* by name.

    Raises:
        ValueError: One has no name, or two have the same.
    """
    numbered: dict[str, dict[str, str]] = {}
    for name, value in parameters.items():
        if found := _ATTRIBUTE.fullmatch(name):
            numbered.setdefault(found[1], {})[found[2].removeprefix("Value.")] = value
    named = {entry.pop("Name", ""): entry for entry in numbered.values()}
    if "" in named or len(named) != len(numbered):
        raise ValueError("an attribute without a name, or with that of another")
    return named


def arguments(action: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return what SQS is asked with, beside attributes.

    Raises:
        GatewayError: A parameter is not known here, which the reason names.
    """
    known = _PARAMETERS[action]
    unknown = parameters.keys() - known.keys() - {"Action", "Version"}
    if action == "SendMessage":
        unknown = {name for name in unknown if not _ATTRIBUTE.fullmatch(name)}
    if unknown or parameters.get("Version") != _VERSION:
        told = ", ".join(sorted(unknown)) or "its Version"
        raise GatewayError("API_CONFIGURATION_ERROR", f"{action} with {told}: not known here")
    return {name: known[name](value) for name, value in parameters.items() if name in known}


class Sqs:
    """Asks SQS what a form body says; answers in the JSON that SQS sends to API Gateway."""

    def __init__(self, client: SQSClient) -> None:
        self._client = client
        self._actions: dict[str, Callable[[str, Json, Mapping[str, str]], Answer]] = {
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
        name = parameters.get("Action", "")
        if name not in _PARAMETERS:
            return error_answer(400, "InvalidAction", "The action is not valid for this endpoint.")
        queue_url = f"{self._client.meta.endpoint_url}/{path}"
        try:
            return self._actions[name](queue_url, arguments(name, parameters), parameters)
        except ClientError as error:
            return _client_error(error)
        except (ReadTimeoutError, ConnectTimeoutError) as error:
            raise GatewayError("INTEGRATION_TIMEOUT", type(error).__name__) from error
        except BotoCoreError as error:
            raise GatewayError("INTEGRATION_FAILURE", type(error).__name__) from error

    def _send(self, queue_url: str, asked: Json, parameters: Mapping[str, str]) -> Answer:
        try:
            attributes = message_attributes(parameters)
        except ValueError as error:
            return error_answer(400, "InvalidParameterValue", str(error))
        rejection = _rejected(asked, attributes)
        if rejection:
            return rejection
        sent = self._client.send_message(
            QueueUrl=queue_url,
            MessageAttributes=attributes,  # type: ignore[arg-type]  # the client checks it
            **asked,
        )
        return _answer("SendMessage", {"MessageId": sent["MessageId"]})

    def _receive(self, queue_url: str, asked: Json, _: Mapping[str, str]) -> Answer:
        received = self._client.receive_message(QueueUrl=queue_url, **asked)
        # An empty receive reads null, not an empty list.
        return _answer("ReceiveMessage", {"messages": received.get("Messages") or None})

    def _delete(self, queue_url: str, asked: Json, _: Mapping[str, str]) -> Answer:
        if not asked.get("ReceiptHandle"):
            return error_answer(400, "MissingParameter", "The request needs a ReceiptHandle.")
        self._client.delete_message(QueueUrl=queue_url, **asked)
        return Answer(200, {"DeleteMessageResponse": {"ResponseMetadata": {}}})


def error_answer(status: int, code: str, message: str) -> Answer:
    """Make an error as SQS writes it."""
    return Answer(status, {"Error": {"Code": code, "Message": message, "Type": "Sender"}})


def _read(body: str) -> dict[str, str]:
    try:
        return parse_form(body)
    except ValueError:
        return {"Action": "MalformedQueryString"}


def _rejected(asked: Json, attributes: Mapping[str, Mapping[str, str]]) -> Answer | None:
    """Reject what SQS would; moto does not look at all of it."""
    body, code = asked.get("MessageBody", ""), "InvalidParameterValue"
    texts = [
        body,
        *(text for name, entry in attributes.items() for text in (name, *entry.values())),
    ]
    if _REJECTED_CHARACTER.search(body):
        code, message = "InvalidMessageContents", "The message has invalid characters."
    elif not body or sum(len(text.encode()) for text in texts) > _MAX_BYTES:
        message = f"Reason: Message must be shorter than {_MAX_BYTES} bytes."
    elif len(attributes) > _MAX_ATTRIBUTES or not all(starmap(_is_valid, attributes.items())):
        message = "A message attribute is not valid, or there are too many."
    elif not _GROUP.fullmatch(asked.get("MessageGroupId", "none")):
        message = "The MessageGroupId is not valid."
    else:
        return None
    return error_answer(400, code, message)


def _is_valid(name: str, entry: Mapping[str, str]) -> bool:
    value = entry.get("StringValue", "")
    is_named = len(name) <= 256 and _ATTRIBUTE_NAME.fullmatch(name) is not None
    is_text = entry.get("DataType") == "String" and value != ""
    return is_named and is_text and not _REJECTED_CHARACTER.search(value)


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
