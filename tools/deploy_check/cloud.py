"""boto3 clients for the emulators, as the account's owner or in a role."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from tools.deploy_check.stage import Stage

# A function may take as long as its timeout; a rehearsal tries nothing twice unseen.
_CONFIG = Config(read_timeout=120, retries={"total_max_attempts": 1}, max_pool_connections=50)
_BY_MOTO = ("apigateway", "cloudwatch", "wafv2")


class Cloud:
    """The emulated account, in one region."""

    def __init__(self, stage: Stage, *, region: str) -> None:
        self._region = region
        self.stage = stage
        self.client = cache(self._client)

    def in_role(self, role_arn: str, service: str) -> Any:
        """Return a client that acts in the role, as a service does that the role trusts."""
        taken = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="rehearsal")
        keys = taken["Credentials"]
        session = self._session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        return session.client(service, **self._place(service))

    def _client(self, service: str) -> Any:
        owner = self.stage.credentials
        session = self._session(owner["AWS_ACCESS_KEY_ID"], owner["AWS_SECRET_ACCESS_KEY"], None)
        return session.client(service, **self._place(service))

    def _session(self, key: str, secret: str, token: str | None) -> Any:
        return boto3.Session(
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            region_name=self._region,
        )

    def _place(self, service: str) -> dict[str, Any]:
        by_moto = service in _BY_MOTO
        return {
            "endpoint_url": self.stage.moto_url if by_moto else self.stage.aws_url,
            "verify": str(self.stage.certificates.authority),
            "config": _CONFIG,
        }
