"""SQS and Cognito as a process of their own: they survive restarts and careless callers."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from tools.local.clients import Clients
from tools.local.provision import Identity, provision_identity
from tools.local.servers import EmbeddedAws
from tools.local.service import service
from tools.local.settings import REPOSITORY, Settings

REGION = "eu-central-1"
PASSWORD = "Example-Password-1"
POLLER = """
import sys
from tools.local.clients import Clients
sqs = Clients(endpoint_url=sys.argv[1], region="eu-central-1").sqs
print("polling", flush=True)
sqs.receive_message(QueueUrl=sys.argv[2], WaitTimeSeconds=20)
"""


def clients_of(aws: EmbeddedAws) -> Clients:
    return Clients(endpoint_url=aws.url, region=REGION)


def restart(aws: EmbeddedAws, number: int = signal.SIGTERM) -> None:
    """End the process with a signal and start it again."""
    assert aws.process is not None
    aws.process.send_signal(number)
    aws.stop()
    aws.start()


@pytest.fixture
def identity(aws: EmbeddedAws, tmp_path: Path) -> Identity:
    return provision_identity(clients_of(aws), Settings(state=tmp_path))


def add_user(clients: Clients, identity: Identity, name: str, *, permanent: bool = True) -> Any:
    """Add a user and return what is known of them."""
    user: Any = {"UserPoolId": identity.user_pool_id, "Username": name}
    shown: Any = [{"Name": "name", "Value": "Олена Коваленко"}]
    clients.cognito.admin_create_user(
        **user, UserAttributes=shown, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS"
    )
    if permanent:
        clients.cognito.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
    return known(clients, identity, name)


def known(clients: Clients, identity: Identity, name: str) -> Any:
    user = clients.cognito.admin_get_user(UserPoolId=identity.user_pool_id, Username=name)
    return user["UserAttributes"], user["UserStatus"], user["Enabled"], user["UserCreateDate"]


def log_in(
    clients: Clients, identity: Identity, flow: Any = "USER_PASSWORD_AUTH", **by: str
) -> Any:
    return clients.cognito.initiate_auth(
        ClientId=identity.user_pool_client_id, AuthFlow=flow, AuthParameters=by
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:80"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:80"}, 403),
    ],
)
def test_a_page_in_a_browser_reads_nothing(
    aws: EmbeddedAws, headers: dict[str, str], status: int
) -> None:
    body = {"Action": "ListQueues", "Version": "2012-11-05"}
    authorization = "AWS4-HMAC-SHA256 Credential=x/20261122/eu-central-1/sqs/aws4_request"
    answer = httpx.post(aws.url, data=body, headers={"Authorization": authorization, **headers})
    assert (answer.status_code, "ListQueuesResult" in answer.text) == (status, status == 200)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_users_and_sessions_survive_however_it_ends(
    aws: EmbeddedAws, identity: Identity, tmp_path: Path, ending: int
) -> None:
    clients = clients_of(aws)
    before = {name: add_user(clients, identity, name) for name in ("olena", "fatima")}
    before["zoe"] = add_user(clients, identity, "zoe", permanent=False)
    clients.cognito.admin_disable_user(UserPoolId=identity.user_pool_id, Username="fatima")
    before["fatima"] = known(clients, identity, "fatima")
    session = log_in(clients, identity, USERNAME="olena", PASSWORD=PASSWORD)
    token = session["AuthenticationResult"]["RefreshToken"]
    restart(aws, ending)
    clients = clients_of(aws)
    assert {name: known(clients, identity, name) for name in before} == before
    assert "AuthenticationResult" in log_in(
        clients, identity, "REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token
    )
    assert "AuthenticationResult" in log_in(clients, identity, USERNAME="olena", PASSWORD=PASSWORD)
    challenge = log_in(clients, identity, USERNAME="zoe", PASSWORD=PASSWORD)
    assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    with pytest.raises(clients.cognito.exceptions.NotAuthorizedException):
        log_in(clients, identity, USERNAME="fatima", PASSWORD=PASSWORD)
    assert provision_identity(clients, Settings(state=tmp_path)) == identity


def test_tokens_last_as_long_as_the_client_says(aws: EmbeddedAws, identity: Identity) -> None:
    clients = clients_of(aws)
    add_user(clients, identity, "olena")
    session = log_in(clients, identity, USERNAME="olena", PASSWORD=PASSWORD)
    tokens = session["AuthenticationResult"]
    seconds = 60 * service().logins.token_minutes
    assert tokens["ExpiresIn"] == seconds
    for token in (tokens["IdToken"], tokens["AccessToken"]):
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == seconds


def test_the_file_of_users_is_for_the_owners_eyes_alone(
    aws: EmbeddedAws, identity: Identity, tmp_path: Path
) -> None:
    assert (tmp_path / "cognito.pickle").stat().st_mode & 0o777 == 0o600


def test_an_action_in_a_message_is_text(aws: EmbeddedAws) -> None:
    sqs, text = clients_of(aws).sqs, "&Action=PurgeQueue&Version=2012-11-05"
    queue = sqs.create_queue(QueueName="requests")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=text)
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=queue)["Messages"]] == [text]


def test_a_killed_poller_takes_no_message_with_it(aws: EmbeddedAws) -> None:
    sqs = clients_of(aws).sqs
    made = sqs.create_queue(QueueName="requests", Attributes={"VisibilityTimeout": "600"})
    queue = made["QueueUrl"]
    with subprocess.Popen(
        [sys.executable, "-c", POLLER, aws.url, queue], stdout=subprocess.PIPE, cwd=REPOSITORY
    ) as poller:
        assert poller.stdout is not None
        poller.stdout.readline()
        # It says that it is about to poll; the poll itself can only be seen by its effect.
        time.sleep(0.5)
        poller.kill()
    sqs.send_message(QueueUrl=queue, MessageBody="for the living")
    messages = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5).get("Messages", [])
    assert [message["Body"] for message in messages] == ["for the living"]
