"""Secrets from AWS Secrets Manager, fetched once per warm process and again on demand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from billing_app.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class Secrets:
    """Hands out JSON secrets. `forget` makes the next `get` fetch afresh, after a rotation."""

    def __init__(self, client: SecretsManagerClient) -> None:
        self._client = client
        self._known: dict[str, Mapping[str, Any]] = {}

    def get(self, secret_id: str) -> Mapping[str, Any]:
        """Return the secret's fields.

        Raises:
            Unavailable: Secrets Manager rejects or does not answer, or the secret isn't JSON.
        """
        if secret_id not in self._known:
            self._known[secret_id] = self._fetch(secret_id)
        return self._known[secret_id]

    def forget(self, secret_id: str) -> None:
        """Drop what is known of the secret."""
        self._known.pop(secret_id, None)

    def forget_all(self) -> None:
        """Drop what is known of every secret."""
        self._known.clear()

    def _fetch(self, secret_id: str) -> Mapping[str, Any]:
        try:
            answer = self._client.get_secret_value(SecretId=secret_id)
            fields = json.loads(answer["SecretString"])
        except (BotoCoreError, ClientError) as error:
            raise Unavailable(f"secret can't be read: {type(error).__name__}") from error
        except (KeyError, ValueError):
            # The cause is dropped on purpose: a JSON error quotes the secret's text.
            raise Unavailable("secret is not a JSON object") from None
        if not isinstance(fields, dict):
            raise Unavailable("secret is not a JSON object")
        return fields
