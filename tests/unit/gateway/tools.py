"""What the gateway tests share: a contract, queues in memory, somebody who signs tokens."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from werkzeug.test import TestResponse

from tools.local.gateway.document import read, render
from tools.local.gateway.sqs import Answer, error_answer, message_attributes, parse_form

PREFIX = "bill-test"
POOL_ID = "eu-central-1_tEsTpOoL1"
CLIENT_ID = "1example23456789"
DOCUMENT = render(
    prefix=PREFIX,
    region="eu-central-1",
    account_id="123456789012",
    user_pool_id=POOL_ID,
    user_pool_client_id=CLIENT_ID,
)
CONTRACT = read(DOCUMENT)
ISSUER = f"https://cognito-idp.eu-central-1.amazonaws.com/{POOL_ID}"
ANNA = "aaaaaaaa-1111-4222-8333-abcdefabcdef"
BORIS = "bbbbbbbb-1111-4222-8333-abcdefabcdef"
APARTMENT = "7d1f2a60-3f0e-4a53-9b53-0c3e7c2f6a01"
QUEUE_NAME = "0f8fad5b-d9cb-469f-a165-70867728950e"
UTILS = f"/apartments/{APARTMENT}/utils"
PAYMENTS = f"/apartments/{APARTMENT}/payments"
HISTORIES = f"/apartments/{APARTMENT}/histories"
REQUEST = {"queue_name": QUEUE_NAME}
LOGIN = {"username": "anna", "password": "secret", "queue_name": QUEUE_NAME}


@dataclass
class MemoryQueues:
    """Queues of SQS in memory, asked in the words of its form bodies."""

    messages: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for operation in ("auth", "utils", "payments", "histories"):
            self.create(f"{PREFIX}-{operation}")

    def create(self, queue: str) -> None:
        """Make an empty queue."""
        self.messages[queue] = []

    def put(self, queue: str, reply: dict[str, Any]) -> None:
        """Put a reply, as the service does."""
        self.messages[queue].append(
            {"Body": json.dumps(reply), "ReceiptHandle": f"AQEB/{uuid.uuid4().hex}+="}
        )

    def call(self, path: str, body: str) -> Answer:
        """Answer a form body as SQS does."""
        account, _, queue = path.partition("/")
        parameters = parse_form(body)
        if account != "123456789012" or queue not in self.messages:
            code = "AWS.SimpleQueueService.NonExistentQueue"
            return error_answer(400, code, "The specified queue does not exist.")
        actions = {
            "SendMessage": self.SendMessage,
            "ReceiveMessage": self.ReceiveMessage,
            "DeleteMessage": self.DeleteMessage,
        }
        if parameters["Action"] not in actions:
            return error_answer(400, "InvalidAction", "The action is not valid for this endpoint.")
        return actions[parameters["Action"]](queue, parameters)

    def SendMessage(self, queue: str, parameters: dict[str, str]) -> Answer:  # noqa: N802
        """Keep the message."""
        attributes = {
            name: value["StringValue"] for name, value in message_attributes(parameters).items()
        }
        self.messages[queue].append({"Body": parameters["MessageBody"], "attributes": attributes})
        return Answer(200, {"SendMessageResponse": {"SendMessageResult": {"MessageId": "1"}}})

    def ReceiveMessage(self, queue: str, parameters: dict[str, str]) -> Answer:  # noqa: N802
        """Show the messages."""
        found = self.messages[queue][: int(parameters["MaxNumberOfMessages"])]
        result = {"ReceiveMessageResult": {"messages": found or None}}
        return Answer(200, {"ReceiveMessageResponse": result})

    def DeleteMessage(self, queue: str, parameters: dict[str, str]) -> Answer:  # noqa: N802
        """Drop the message with the receipt."""
        receipt = parameters["ReceiptHandle"]
        kept = [entry for entry in self.messages[queue] if entry["ReceiptHandle"] != receipt]
        if len(kept) == len(self.messages[queue]):
            return error_answer(400, "ReceiptHandleIsInvalid", "not a receipt handle")
        self.messages[queue] = kept
        return Answer(200, {"DeleteMessageResponse": {"ResponseMetadata": {}}})


class Keyring:
    """Signs id tokens like a user pool, and shows its public keys."""

    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = RSAAlgorithm.to_jwk(self._private.public_key(), as_dict=True)
        self._keys = jwt.PyJWKSet.from_dict({"keys": [{**public, "kid": "k1", "alg": "RS256"}]})

    def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
        """Give the key by the token's key id."""
        try:
            return self._keys[jwt.get_unverified_header(token).get("kid", "")]
        except KeyError as error:
            raise jwt.PyJWKClientError("no such key") from error

    def token(self, subject: str = ANNA, **claims: Any) -> str:
        """Sign an id token; claims override what it says otherwise, None leaves one out."""
        now = datetime.now(UTC)
        usual = {"sub": subject, "iss": ISSUER, "token_use": "id", "aud": CLIENT_ID}
        stamps = {"iat": now, "exp": now + timedelta(hours=1)}
        payload = {
            name: value
            for name, value in {**usual, **stamps, **claims}.items()
            if value is not None
        }
        return jwt.encode(payload, self._private, algorithm="RS256", headers={"kid": "k1"})


def reply_queue(subject: str, queue_name: str = QUEUE_NAME) -> str:
    """Name the reply queue of a resident."""
    return f"{PREFIX}-r-{subject.replace('-', '')}-{queue_name.replace('-', '')}"


def assert_rejected(answer: TestResponse, status: int, code: str) -> None:
    """See our error shape with CORS headers."""
    assert (answer.status_code, answer.json and answer.json["code"]) == (status, code)
    assert answer.json is not None
    assert set(answer.json) == {"code", "message", "request_id"}
    assert answer.json["request_id"] == answer.headers["x-amzn-RequestId"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.content_type == "application/json"
