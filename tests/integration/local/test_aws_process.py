"""SQS and Cognito as a process of their own: they survive restarts and careless callers."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.local import processes
from tools.local.clients import Clients
from tools.local.processes import listens
from tools.local.provision import Identity, provision_identity
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


class AwsProcess:
    """The process, with its file of users in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = processes.free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "tools.local.aws", "--port", str(self._port)]
        file = self._folder / "cognito.json"
        self._process = processes.spawn(
            [*command, "--region", REGION, "--cognito-file", file],
            log=self._folder / "aws.log",
            folder=REPOSITORY,
        )
        deadline = time.monotonic() + 30
        while not listens(self.url):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process is not None:
            processes.stop(self._process, signal_number=number, grace_seconds=5)

    @property
    def clients(self) -> Clients:
        return Clients(endpoint_url=self.url, region=REGION)


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[AwsProcess]:
    aws = AwsProcess(tmp_path)
    aws.start()
    yield aws
    aws.stop()


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
def test_users_survive_however_it_ends(aws: AwsProcess, tmp_path: Path, ending: int) -> None:
    settings = Settings(state=tmp_path)
    identity = provision_identity(aws.clients, settings)
    before = add_user(aws.clients, identity, "olena")
    aws.stop(ending)
    aws.start()
    assert provision_identity(aws.clients, settings) == identity
    assert sub(aws.clients, identity, "olena") == before


def test_a_refresh_token_is_good_after_a_restart(aws: AwsProcess, tmp_path: Path) -> None:
    identity = provision_identity(aws.clients, Settings(state=tmp_path))
    add_user(aws.clients, identity, "olena")
    login = aws.clients.cognito.initiate_auth(
        ClientId=identity.user_pool_client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "olena", "PASSWORD": PASSWORD},
    )
    token = login["AuthenticationResult"]["RefreshToken"]
    aws.stop()
    aws.start()
    again = aws.clients.cognito.initiate_auth(
        ClientId=identity.user_pool_client_id,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": token},
    )
    assert again["AuthenticationResult"]["IdToken"]


def test_the_file_of_users_is_for_the_owners_eyes_alone(aws: AwsProcess, tmp_path: Path) -> None:
    provision_identity(aws.clients, Settings(state=tmp_path))
    assert (tmp_path / "cognito.json").stat().st_mode & 0o777 == 0o600


def test_a_killed_poller_takes_no_message_with_it(aws: AwsProcess) -> None:
    sqs = aws.clients.sqs
    made = sqs.create_queue(QueueName="requests", Attributes={"VisibilityTimeout": "600"})
    queue = made["QueueUrl"]
    with subprocess.Popen(
        [sys.executable, "-c", POLLER, aws.url, queue], stdout=subprocess.PIPE, cwd=REPOSITORY
    ) as poller:
        assert poller.stdout is not None
        poller.stdout.readline()
        time.sleep(0.5)
        poller.kill()
    sqs.send_message(QueueUrl=queue, MessageBody="for the living")
    messages = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5).get("Messages", [])
    assert [message["Body"] for message in messages] == ["for the living"]
