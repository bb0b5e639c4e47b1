"""The SQS client of the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# API Gateway gives an integration 29 seconds and asks once. A poll holds its connection for 20 s.
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=29,
    retries={"total_max_attempts": 1},
    max_pool_connections=512,
)


def make_client(*, endpoint_url: str | None, region: str | None) -> SQSClient:
    """Make a client with the credentials of the environment, or made-up ones for an endpoint."""
    session = boto3.Session(region_name=region)
    made_up = "local" if endpoint_url and session.get_credentials() is None else None
    client = session.client(
        "sqs",
        endpoint_url=endpoint_url,
        config=_CONFIG,
        aws_access_key_id=made_up,
        aws_secret_access_key=made_up,
    )
    client.meta.events.register("before-call.sqs", _escape_ampersands)
    return client


def _escape_ampersands(params: dict[str, Any], **_: object) -> None:
    """Write & as \\u0026: moto reads a JSON body as a form too, and would obey an Action in it."""
    params["body"] = params["body"].replace(b"&", b"\\u0026")
