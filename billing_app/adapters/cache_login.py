"""Logging in to ElastiCache by IAM: the password is a request that the function's role signed.

https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
"""

from __future__ import annotations

from botocore.exceptions import NoCredentialsError
from botocore.model import ServiceId
from botocore.session import Session
from botocore.signers import RequestSigner
from redis.credentials import CredentialProvider

# A token opens connections for this long; ElastiCache allows no more.
TOKEN_SECONDS = 900


class IamLogin(CredentialProvider):
    """Signs a token for each connection. It asks nobody: the signature is made here."""

    def __init__(self, *, username: str, replication_group_id: str, session: Session) -> None:
        self._username = username
        self._url = f"https://{replication_group_id}/?Action=connect&User={username}"
        self._session = session

    def get_credentials(self) -> tuple[str, str]:
        """Return the user's name and a token, which is the signed address without its scheme."""
        signed: str = self._signer().generate_presigned_url(
            {"method": "GET", "url": self._url, "body": {}, "headers": {}, "context": {}},
            operation_name="connect",
            expires_in=TOKEN_SECONDS,
            region_name=self._region,
        )
        return self._username, signed.removeprefix("https://")

    @property
    def _region(self) -> str:
        return str(self._session.get_config_variable("region"))

    def _signer(self) -> RequestSigner:
        credentials = self._session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        return RequestSigner(
            ServiceId("elasticache"),
            self._region,
            "elasticache",
            "v4",
            credentials,
            self._session.get_component("event_emitter"),
        )
