"""Acts in the role of each function and tries every queue and secret that is not its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from tools.deploy_check.cloud import Cloud
from tools.deploy_check.errors import DeployCheckError


def require_no_access(
    cloud: Cloud, *, prefix: str, role_arns: Mapping[str, str], function_names: Mapping[str, str]
) -> int:
    """Return how many resources were tried and all rejected.

    Raises:
        DeployCheckError: a role can access another function's resources.
    """
    queues, secrets = list(_queues(cloud, prefix)), list(_secrets(cloud))
    tried, accessible = 0, list[str]()
    for name, role_arn in role_arns.items():
        sqs, manager = (cloud.in_role(role_arn, one) for one in ("sqs", "secretsmanager"))
        own = _own_secrets(cloud, function_names[name])
        attempts = {url: _receive(sqs, url) for url in queues if not _is_own(url, prefix, name)}
        attempts |= {
            arn: _read(manager, arn) for arn in secrets if not any(one in arn for one in own)
        }
        tried += len(attempts)
        accessible += [f"{name}: {what}" for what, do in attempts.items() if not is_rejected(do)]
    if accessible:
        raise DeployCheckError(
            "Roles can access another function's resources:\n  " + "\n  ".join(accessible)
        )
    return tried


def is_rejected(attempt: Callable[[], Any]) -> bool:
    """Try it; any other answer than a rejection counts as access."""
    try:
        attempt()
    except ClientError as error:
        return "AccessDenied" in str(error.response["Error"]["Code"])
    return False


def _queues(cloud: Cloud, prefix: str) -> Iterator[str]:
    """List every queue of the deployment: requests, dead letters, replies."""
    pages = cloud.client("sqs").get_paginator("list_queues")
    for page in pages.paginate(QueueNamePrefix=f"{prefix}-"):
        yield from page.get("QueueUrls", ())


def _secrets(cloud: Cloud) -> Iterator[str]:
    pages = cloud.client("secretsmanager").get_paginator("list_secrets").paginate()
    yield from (secret["ARN"] for page in pages for secret in page["SecretList"])


def _own_secrets(cloud: Cloud, function: str) -> list[str]:
    """Return the secrets that the function's environment names."""
    found = cloud.client("lambda").get_function_configuration(FunctionName=function)
    variables = found["Environment"]["Variables"]
    return [value for key, value in variables.items() if key.endswith("_SECRET_ID")]


def _is_own(url: str, prefix: str, name: str) -> bool:
    return url.endswith(f"/{prefix}-{name}")


def _receive(sqs: Any, url: str) -> Callable[[], Any]:
    return lambda: sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, WaitTimeSeconds=0)


def _read(manager: Any, arn: str) -> Callable[[], Any]:
    return lambda: manager.get_secret_value(SecretId=arn)
