"""Servers and clients that several tests of the local stack use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from tools.local.clients import Clients
from tools.local.servers import EmbeddedAws

REGION = "eu-central-1"


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[EmbeddedAws]:
    """The AWS emulation as a process, with its file of users in a folder of the test."""
    aws = EmbeddedAws(tmp_path, region=REGION)
    aws.start()
    yield aws
    aws.stop()


class MotoClients(Clients):
    """Clients of moto in this process: no endpoint."""

    def __init__(self) -> None:
        self.sqs = boto3.client("sqs", region_name=REGION)
        self.cognito = boto3.client("cognito-idp", region_name=REGION)
        self.secrets = boto3.client("secretsmanager", region_name=REGION)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """Clients of services that moto answers in this process."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield MotoClients()
