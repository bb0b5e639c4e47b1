"""The gateway against SQS and Cognito of moto, over HTTP."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import jwt
import pytest
from moto.server import ThreadedMotoServer
from werkzeug.test import Client

from tests.unit.gateway.tools import APARTMENT
from tools.local.gateway import create_app, render
from tools.local.gateway.errors import GatewayError
from tools.local.gateway.sqs import Sqs, make_client

REGION = "eu-central-1"
PREFIX = "bill-moto"
PASSWORD = "Correct-Horse-7"
OPERATIONS = ("auth", "utils", "payments", "histories")


@dataclass(frozen=True)
class Cloud:
    """SQS and Cognito with our queues and a pool of two residents."""

    endpoint: str
    sqs: Any
    pool_id: str
    client_id: str
    tokens: dict[str, dict[str, str]]

    def url(self, queue: str) -> str:
        """Give a queue's URL."""
        return str(self.sqs.get_queue_url(QueueName=queue)["QueueUrl"])

    def take(self, queue: str) -> dict[str, Any]:
        """Take the one message of a queue."""
        [message] = self.sqs.receive_message(
            QueueUrl=self.url(queue), MessageAttributeNames=["All"], MaxNumberOfMessages=10
        )["Messages"]
        self.sqs.delete_message(QueueUrl=self.url(queue), ReceiptHandle=message["ReceiptHandle"])
        return dict(message)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A moto server on a free port."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def cloud(endpoint: str) -> Cloud:
    """Our queues, and a user pool with two residents."""
    sqs = make_client(endpoint_url=endpoint, region=REGION)
    for operation in OPERATIONS:
        sqs.create_queue(QueueName=f"{PREFIX}-{operation}")
    cognito = boto3.client(
        "cognito-idp",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    pool_id = cognito.create_user_pool(PoolName="residents")["UserPool"]["Id"]
    client_id, other_id = (_client(cognito, pool_id, name) for name in ("service", "other"))
    for name in ("anna", "boris"):
        _add_user(cognito, pool_id, name)
    tokens = {name: _signed_in(cognito, pool_id, client_id, name) for name in ("anna", "boris")}
    tokens["anna elsewhere"] = _signed_in(cognito, pool_id, other_id, "anna")
    return Cloud(endpoint=endpoint, sqs=sqs, pool_id=pool_id, client_id=client_id, tokens=tokens)


def _client(cognito: Any, pool_id: str, name: str) -> str:
    made = cognito.create_user_pool_client(UserPoolId=pool_id, ClientName=name)
    return str(made["UserPoolClient"]["ClientId"])


def _add_user(cognito: Any, pool_id: str, name: str) -> None:
    cognito.admin_create_user(UserPoolId=pool_id, Username=name)
    cognito.admin_set_user_password(
        UserPoolId=pool_id, Username=name, Password=PASSWORD, Permanent=True
    )


def _signed_in(cognito: Any, pool_id: str, client_id: str, name: str) -> dict[str, str]:
    return dict(
        cognito.admin_initiate_auth(
            UserPoolId=pool_id,
            ClientId=client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
        )["AuthenticationResult"]
    )


@pytest.fixture
def client(cloud: Cloud) -> Client:
    """A client of a gateway that works on moto alone."""
    document = render(
        prefix=PREFIX,
        region=REGION,
        account_id="123456789012",
        user_pool_id=cloud.pool_id,
        user_pool_client_id=cloud.client_id,
    )
    return Client(create_app(document=document, endpoint_url=cloud.endpoint, region=REGION))


def bearer(cloud: Cloud, name: str = "anna", kind: str = "IdToken") -> dict[str, str]:
    """Make the headers of a resident."""
    return {"Authorization": f"Bearer {cloud.tokens[name][kind]}"}


def own_queue(cloud: Cloud, name: str, queue_name: str) -> str:
    """Name a resident's reply queue as the service does."""
    claims = jwt.decode(cloud.tokens[name]["IdToken"], options={"verify_signature": False})
    return f"{PREFIX}-r-{uuid.UUID(claims['sub']).hex}-{uuid.UUID(queue_name).hex}"


def test_the_gateway_takes_id_tokens_of_cognito_only(client: Client, cloud: Cloud) -> None:
    path = f"/apartments/{APARTMENT}/utils/{uuid.uuid4()}?wait_seconds=0"
    assert client.get(path, headers=bearer(cloud)).json == {"replies": []}
    access = client.get(path, headers=bearer(cloud, kind="AccessToken"))
    other_client = client.get(path, headers=bearer(cloud, "anna elsewhere"))
    for rejected in (access, other_client):
        assert (rejected.status_code, (rejected.json or {})["code"]) == (401, "unauthorized")


@pytest.mark.parametrize(
    "password",
    [
        "&MessageAttribute.1.Name=subject&MessageAttribute.1.Value.StringValue=victim",
        "&Action=PurgeQueue&QueueUrl=x&Version=2012-11-05",
        "a+b %26 %",
        "\"quotes\" 'n' \\ \n",
        "Пароль 😀",
    ],
)
def test_a_login_arrives_as_it_was_sent(client: Client, cloud: Cloud, password: str) -> None:
    body = {"username": "anna", "password": password, "queue_name": str(uuid.uuid4())}
    text = json.dumps(body, ensure_ascii=False)
    answer = client.post("/auth", data=text, content_type="application/json")
    assert answer.json is not None
    message = cloud.take(f"{PREFIX}-auth")
    assert message["Body"] == text
    assert message["MessageAttributes"] == {
        "request_id": {"StringValue": answer.json["request_id"], "DataType": "String"}
    }


def test_a_reply_is_read_by_its_owner_alone_until_it_is_acknowledged(
    client: Client, cloud: Cloud
) -> None:
    queue_name = str(uuid.uuid4())
    queue = own_queue(cloud, "anna", queue_name)
    cloud.sqs.create_queue(QueueName=queue, Attributes={"VisibilityTimeout": "0"})
    cloud.sqs.send_message(QueueUrl=cloud.url(queue), MessageBody='{"request_id": "1"}')
    path = f"/apartments/{APARTMENT}/payments/{queue_name}"
    poll = f"{path}?wait_seconds=0"

    assert client.get(poll, headers=bearer(cloud, "boris")).json == {"replies": []}
    answer = client.get(poll, headers=bearer(cloud)).json
    assert answer is not None
    [reply] = answer["replies"]
    assert reply["request_id"] == "1"
    for _ in range(2):
        target = {"receipt": reply["receipt"]}
        gone = client.delete(path, query_string=target, headers=bearer(cloud))
        assert gone.status_code == 204
    assert client.get(poll, headers=bearer(cloud)).json == {"replies": []}


@pytest.mark.parametrize("receipt", ["x", "", "&Action=PurgeQueue", "\x00"])
def test_an_invalid_receipt_is_rejected(client: Client, cloud: Cloud, receipt: str) -> None:
    queue_name = str(uuid.uuid4())
    cloud.sqs.create_queue(QueueName=own_queue(cloud, "anna", queue_name))
    path = f"/apartments/{APARTMENT}/payments/{queue_name}"
    answer = client.delete(path, query_string={"receipt": receipt}, headers=bearer(cloud))
    assert (answer.status_code, (answer.json or {})["code"]) == (400, "invalid_receipt")


def test_a_body_that_sqs_finds_too_large_is_too_large(client: Client, cloud: Cloud) -> None:
    text = json.dumps({"queue_name": str(uuid.uuid4())}) + " " * 1_100_000
    answer = client.post(
        f"/apartments/{APARTMENT}/utils",
        data=text,
        content_type="application/json",
        headers=bearer(cloud),
    )
    assert (answer.status_code, (answer.json or {})["code"]) == (413, "body_too_large")


def test_characters_that_sqs_does_not_take_are_rejected(client: Client, cloud: Cloud) -> None:
    body = {"username": "a\ufffe", "password": "b", "queue_name": str(uuid.uuid4())}
    text = json.dumps(body, ensure_ascii=False)
    login = client.post("/auth", data=text, content_type="application/json")
    assert (login.status_code, (login.json or {})["code"]) == (400, "invalid_body")
    request = {"queue_name": str(uuid.uuid4())}
    debts = client.post("/apartments/a%01/utils", json=request, headers=bearer(cloud))
    assert (debts.status_code, (debts.json or {})["code"]) == (400, "invalid_parameter")


def test_nobody_at_the_endpoint_is_an_upstream_error() -> None:
    sqs = Sqs(make_client(endpoint_url="http://127.0.0.1:9", region=REGION))
    with pytest.raises(GatewayError) as failed:
        sqs.call("1/q", "Action=DeleteMessage&ReceiptHandle=x")
    assert failed.value.kind == "INTEGRATION_FAILURE"


@pytest.mark.parametrize("body", ["", "Action", "Action=PurgeQueue", "Action=SendMessage&Action=x"])
def test_an_invalid_form_is_rejected_as_sqs_does(cloud: Cloud, body: str) -> None:
    answer = Sqs(cloud.sqs).call(f"123456789012/{PREFIX}-utils", body)
    assert (answer.status, answer.body["Error"]["Code"]) == (400, "InvalidAction")
