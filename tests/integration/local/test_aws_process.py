"""SQS and Cognito as a process of their own: they survive restarts and careless callers."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.local.clients import Clients
from tools.local.provision import Identity, provision_identity
from tools.local.servers import EmbeddedAws
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


def add_user(clients: Clients, identity: Identity, username: str) -> str:
    pool = identity.user_pool_id
    clients.cognito.admin_create_user(UserPoolId=pool, Username=username, MessageAction="SUPPRESS")
    clients.cognito.admin_set_user_password(
        UserPoolId=pool, Username=username, Password=PASSWORD, Permanent=True
    )
    return sub(clients, identity, username)


def sub(clients: Clients, identity: Identity, username: str) -> str:
    user = clients.cognito.admin_get_user(UserPoolId=identity.user_pool_id, Username=username)
    return next(a.get("Value", "") for a in user["UserAttributes"] if a["Name"] == "sub")


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_users_survive_however_it_ends(aws: EmbeddedAws, tmp_path: Path, ending: int) -> None:
    settings = Settings(state=tmp_path)
    identity = provision_identity(clients_of(aws), settings)
    before = add_user(clients_of(aws), identity, "olena")
    restart(aws, ending)
    assert provision_identity(clients_of(aws), settings) == identity
    assert sub(clients_of(aws), identity, "olena") == before


def test_a_refresh_token_is_good_after_a_restart(aws: EmbeddedAws, tmp_path: Path) -> None:
    identity = provision_identity(clients_of(aws), Settings(state=tmp_path))
    add_user(clients_of(aws), identity, "olena")
    login = clients_of(aws).cognito.initiate_auth(
        ClientId=identity.user_pool_client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "olena", "PASSWORD": PASSWORD},
    )
    token = login["AuthenticationResult"]["RefreshToken"]
    restart(aws)
    again = clients_of(aws).cognito.initiate_auth(
        ClientId=identity.user_pool_client_id,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": token},
    )
    assert again["AuthenticationResult"]["IdToken"]


def test_the_file_of_users_is_for_the_owners_eyes_alone(aws: EmbeddedAws, tmp_path: Path) -> None:
    provision_identity(clients_of(aws), Settings(state=tmp_path))
    assert (tmp_path / "cognito.json").stat().st_mode & 0o777 == 0o600


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
