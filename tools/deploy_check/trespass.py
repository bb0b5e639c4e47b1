"""What a function that was taken over could open: its own queue and secrets, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tools.deploy_check.cloud import Cloud
from tools.deploy_check.errors import RehearsalError

_SECRETS = "_SECRET_ID"


@dataclass(frozen=True)
class Trespass:
    """Acts in the role of each function and tries every queue and secret that is not its own."""

    cloud: Cloud
    prefix: str
    role_arns: Mapping[str, str]
    function_names: Mapping[str, str]

    def try_all(self) -> int:
        """Return how many doors were tried; raises RehearsalError for one that was open."""
        queues, secrets = list(self._queues()), list(self._secrets())
        opened: list[str] = []
        tried = 0
        for name, role_arn in self.role_arns.items():
            sqs = self.cloud.in_role(role_arn, "sqs")
            vault = self.cloud.in_role(role_arn, "secretsmanager")
            own = self._own_secrets(name)
            doors = [
                *(
                    (url, _receive(sqs, url))
                    for url in queues
                    if not url.endswith(f"/{self.prefix}-{name}")
                ),
                *((arn, _read(vault, arn)) for arn in secrets if not _is_one_of(arn, own)),
            ]
            tried += len(doors)
            opened += [f"{name}: {what}" for what, door in doors if not is_rejected(door)]
        if opened:
            raise RehearsalError("Roles open what is another's:\n  " + "\n  ".join(opened))
        return tried

    def _queues(self) -> Iterator[str]:
        """List every queue of the deployment: requests, dead letters, replies."""
        pages = self.cloud.client("sqs").get_paginator("list_queues")
        for page in pages.paginate(QueueNamePrefix=f"{self.prefix}-"):
            yield from page.get("QueueUrls", ())

    def _secrets(self) -> Iterator[str]:
        pages = self.cloud.client("secretsmanager").get_paginator("list_secrets").paginate()
        yield from (secret["ARN"] for page in pages for secret in page["SecretList"])

    def _own_secrets(self, name: str) -> list[str]:
        """Return the secrets that the function's environment names."""
        function = self.function_names[name]
        found = self.cloud.client("lambda").get_function_configuration(FunctionName=function)
        variables = found["Environment"]["Variables"]
        return [value for key, value in variables.items() if key.endswith(_SECRETS)]


def _receive(sqs: Any, url: str) -> Callable[[], Any]:
    return lambda: sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, WaitTimeSeconds=0)


def _read(vault: Any, arn: str) -> Callable[[], Any]:
    return lambda: vault.get_secret_value(SecretId=arn)


def _is_one_of(arn: str, own: list[str]) -> bool:
    return any(arn == one or one in arn for one in own)


def is_rejected(door: Callable[[], Any]) -> bool:
    """Try a door; whatever else it answers than a rejection counts as open."""
    try:
        door()
    except ClientError as error:
        return "AccessDenied" in str(error.response["Error"]["Code"])
    return False
