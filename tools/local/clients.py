"""boto3 clients for wherever SQS, Cognito and Secrets Manager are."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from tools.local.settings import LOCAL_CREDENTIALS

_CONFIG = Config(
    connect_timeout=2, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3}
)


def credentials() -> dict[str, str]:
    """Return what to set beside the developer's own credentials: nothing, unless there are none.

    An emulator takes any, but boto3 signs with none at all only on demand.
    """
    return {} if boto3.Session().get_credentials() else LOCAL_CREDENTIALS


class Clients:
    """The three services at one endpoint."""

    def __init__(self, *, endpoint_url: str, region: str) -> None:
        options: dict[str, Any] = {
            "endpoint_url": endpoint_url,
            "region_name": region,
            "config": _CONFIG,
            **{name.lower(): value for name, value in credentials().items()},
        }
        self.sqs = boto3.client("sqs", **options)
        self.cognito = boto3.client("cognito-idp", **options)
        self.secrets = boto3.client("secretsmanager", **options)
