"""boto3 clients for wherever SQS, Cognito and Secrets Manager are."""

import os
from typing import Any

import boto3
from botocore.config import Config

from localcloud.settings import LOCAL_CREDENTIALS

_CONFIG = Config(
    connect_timeout=2, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3}
)


def client_options(endpoint_url: str, region: str) -> dict[str, Any]:
    """Options of ``boto3.client`` for the endpoint."""
    known = {} if os.environ.get("AWS_ACCESS_KEY_ID") else _local_credentials()
    return {
        "endpoint_url": endpoint_url,
        "region_name": region,
        "config": _CONFIG,
        **known,
    }


def _local_credentials() -> dict[str, str]:
    return {name.lower(): value for name, value in LOCAL_CREDENTIALS.items()}


class Clients:
    """The three services at one endpoint."""

    def __init__(self, *, endpoint_url: str, region: str) -> None:
        options = client_options(endpoint_url, region)
        self.sqs = boto3.client("sqs", **options)
        self.cognito = boto3.client("cognito-idp", **options)
        self.secrets = boto3.client("secretsmanager", **options)
