"""boto3 clients for the emulators, as the account's owner or in a role."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from tools.deploy_check.deployment import BY_MOTO
from tools.deploy_check.environment import Environment

# A function may take as long as its timeout; the check tries nothing twice unseen.
_CONFIG = Config(read_timeout=120, retries={"total_max_attempts": 1}, max_pool_connections=50)


class Cloud:
    """The emulated account, in one region."""

    def __init__(self, environment: Environment, *, region: str) -> None:
        self._region = region
        self.environment = environment
        self.client = cache(self._client)

    def in_role(self, role_arn: str, service: str) -> Any:
        """Return a client that acts in the role, as a service does that the role trusts."""
        taken = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="deploy-check")
        keys = taken["Credentials"]
        return self._connect(
            service, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
        )

    def _client(self, service: str) -> Any:
        owner = self.environment.credentials
        return self._connect(
            service, owner["AWS_ACCESS_KEY_ID"], owner["AWS_SECRET_ACCESS_KEY"], None
        )

    def _connect(self, service: str, key: str, secret: str, token: str | None) -> Any:
        session = boto3.Session(key, secret, token, region_name=self._region)
        environment = self.environment
        return session.client(
            service,  # type: ignore[call-overload]
            endpoint_url=environment.moto_url if service in BY_MOTO else environment.aws_url,
            verify=str(environment.certificates.certificate),
            config=_CONFIG,
        )
