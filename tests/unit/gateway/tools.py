"""What the gateway tests share: a contract, queues in memory, somebody who signs tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from werkzeug.test import TestResponse

from chalicelib.operations import OPERATIONS
from tools.local.gateway.document import read, render

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
APARTMENT = "7d1f2a60-3f0e-4a53-9b53-0c3e7c2f6a01"
QUEUE_NAME = "6f0fad5b-d9cb-469f-a165-70867728950e"
UTILS = f"/apartments/{APARTMENT}/utils"
PAYMENTS = f"/apartments/{APARTMENT}/payments"
HISTORIES = f"/apartments/{APARTMENT}/histories"
REQUEST = {"queue_name": QUEUE_NAME}
LOGIN = {"username": "anna", "password": "secret", "queue_name": QUEUE_NAME}


class Queues:
    """Queues of SQS, which moto keeps in this process; the gateway reaches them as it does SQS."""

    def __init__(self) -> None:
        self.sqs: Any = boto3.client(
            "sqs", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        for operation in OPERATIONS:
            self.create(f"{PREFIX}-{operation}")

    def create(self, queue: str) -> None:
        """Make an empty queue, whose messages may be received again at once."""
        self.sqs.create_queue(QueueName=queue, Attributes={"VisibilityTimeout": "0"})

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """Return what is in a queue, with the values of its attributes."""
        found = self.sqs.receive_message(
            QueueUrl=self._url(queue), MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return [message | {"attributes": _values(message)} for message in found.get("Messages", [])]

    def requests(self) -> list[dict[str, Any]]:
        """Return what was asked of the service."""
        operations = OPERATIONS
        return [message for name in operations for message in self.messages(f"{PREFIX}-{name}")]

    def _url(self, queue: str) -> str:
        return str(self.sqs.get_queue_url(QueueName=queue)["QueueUrl"])


def _values(message: dict[str, Any]) -> dict[str, str]:
    attributes = message.get("MessageAttributes", {})
    return {name: value["StringValue"] for name, value in attributes.items()}


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
