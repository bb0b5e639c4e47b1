"""What `make package` builds runs by itself: no checkout, no virtual environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.support.databases import Server
from tests.support.ledger import Home, Ledger
from tests.support.records import QUEUE, a_record

PREFIX = "bill-zip"
LIBRARIES = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
}

# -S leaves out every site-packages, so that what is not in the zip can't be found.
_RUN = """
import json, sys
sys.path.insert(0, sys.argv[1])
import app
event = json.load(sys.stdin)
print(json.dumps(getattr(app, sys.argv[2])(event, None)))
"""


@pytest.fixture(scope="module")
def package(built_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unzip the package as Lambda does: a folder that can't be written."""
    code = tmp_path_factory.mktemp("package") / "code"
    with zipfile.ZipFile(built_package / "deployment.zip") as archive:
        archive.extractall(code)
    return code


@pytest.fixture
def aws() -> Iterator[str]:
    """Run SQS and Secrets Manager, and return their address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


class Functions:
    """Runs functions of the package, each in a fresh interpreter."""

    def __init__(self, package: Path, environment: Mapping[str, str]) -> None:
        self.code = package
        self.environment = environment

    def __call__(self, name: str, event: Mapping[str, Any], *, role: str) -> Any:
        ran = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _RUN, self.code, name],
            input=json.dumps(event),
            env={**self.environment, "DATABASE_SECRET_ID": f"{PREFIX}/database/{role}"},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout.splitlines()[-1])


@pytest.fixture
def functions(package: Path, aws: str, postgres_server: Server) -> Iterator[Functions]:
    with postgres_server.database(migrated=False) as database:
        secrets = boto3.client(
            "secretsmanager",
            endpoint_url=aws,
            region_name="eu-central-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        for role in ("owner", "writer", "reader", "operator"):
            name = f"{PREFIX}/database/{role}"
            secrets.create_secret(Name=name, SecretString=json.dumps(database.secret(role)))
        environment = {
            **LIBRARIES,
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": aws,
            "BILLING_PREFIX": PREFIX,
            "USER_POOL_ID": "eu-central-1_none",
            "WRITER_SECRET_ID": f"{PREFIX}/database/writer",
            "READER_SECRET_ID": f"{PREFIX}/database/reader",
            "OPERATOR_SECRET_ID": f"{PREFIX}/database/operator",
        }
        functions = Functions(package, environment)
        functions.database = database  # type: ignore[attr-defined]
        yield functions


def test_the_package_migrates_a_database_pays_a_bill_and_replies(
    functions: Functions, aws: str
) -> None:
    report = functions("migrate", {}, role="owner")
    assert report["status"] == "done"
    assert len(report["data"]["applied"]) >= 7
    assert sorted(report["data"]["roles"]) == [
        "billing_operator",
        "billing_reader",
        "billing_writer",
    ]

    ledger = Ledger(functions.database)  # type: ignore[attr-defined]
    home: Home = ledger.home()
    bill = ledger.bill(home)
    record = a_record({"bills_id": [bill]}, subject=home.subject, apartment=home.apartment, key="k")
    event = {"Records": [record, a_record("poison", subject=uuid4())]}
    answer = functions("payments", event, role="writer")
    assert [f["itemIdentifier"] for f in answer["batchItemFailures"]] == [
        event["Records"][1]["messageId"]
    ]
    assert ledger.open_bills(home) == set()
    assert reply(aws, home)["status"] == "done"


def reply(aws: str, home: Home) -> dict[str, Any]:
    """Read the reply from the queue of the resident."""
    sqs = boto3.client(
        "sqs",
        endpoint_url=aws,
        region_name="eu-central-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    name = f"{PREFIX}-r-{home.subject.hex}-{QUEUE.hex}"
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    found: dict[str, Any] = json.loads(message["Body"])
    return found
