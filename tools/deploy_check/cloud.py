"""boto3 clients for the emulators, as the account's owner or in a role."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from tools.deploy_check.deployment import BY_MOTO
from tools.deploy_check.environment import Environment

# A function may take as long as its timeout; the check tries nothing twice unseen.
_CONFIG = Config(read_timeout=120, retries={"total_max_attempts": 1}, max_pool_connections=50)


class Cloud:
    """The emulated account, and what Terraform says of the deployment in it.

    Attributes:
        outputs: The root's outputs, by name.
        prefix: Start of every name of the deployment.
        client: Returns a client that acts as the account's owner.
    """

    def __init__(self, environment: Environment, outputs: Mapping[str, Any]) -> None:
        self.environment, self.outputs = environment, outputs
        # The provider's region is the operator's variable; every ARN has it.
        self.region: str = outputs["alarm_topic_arn"].split(":")[3]
        self.prefix: str = outputs["gateway_role_arn"].rpartition("/")[2].removesuffix("-gateway")
        self.client = cache(self._as_owner)

    def in_role(self, role_arn: str, service: str) -> Any:
        """Return a client that acts in the role, as a service does that the role trusts."""
        taken = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="deploy-check")
        keys = taken["Credentials"]
        return self._connect(
            service, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
        )

    def _as_owner(self, service: str) -> Any:
        owner = self.environment.credentials
        return self._connect(service, owner["AWS_ACCESS_KEY_ID"], owner["AWS_SECRET_ACCESS_KEY"])

    def _connect(self, service: str, key: str, secret: str, token: str | None = None) -> Any:
        environment = self.environment
        return boto3.Session(key, secret, token, region_name=self.region).client(
            service,  # type: ignore[call-overload]  # typed by literal names
            endpoint_url=environment.moto_url if service in BY_MOTO else environment.aws_url,
            verify=str(environment.authority),
            config=_CONFIG,
        )
