"""Acts in the role of each function and tries every queue and secret that is not its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from tools.deploy_check.cloud import Cloud
from tools.deploy_check.errors import DeployCheckError


def require_no_access(cloud: Cloud) -> int:
    """Return how many resources were tried and all rejected.

    Raises:
        DeployCheckError: a role can access another function's resources.
    """
    attempts = {
        f"{name}: {resource}": attempt
        for name in cloud.outputs["function_role_arns"]
        for resource, attempt in _attempts(cloud, name)
    }
    accessible = [what for what, attempt in attempts.items() if not is_rejected(attempt)]
    if accessible:
        raise DeployCheckError(
            "Roles can access another function's resources:\n  " + "\n  ".join(accessible)
        )
    return len(attempts)


def require_private_replies(cloud: Cloud, urls: Sequence[str]) -> int:
    """Return how many attempts of the account's owner were rejected by the queues' policies.

    Raises:
        DeployCheckError: there is no queue to try, or one lets somebody send or read.
    """
    sqs = cloud.client("sqs")
    attempts = {
        f"{what} {url}": attempt
        for url in urls
        for what, attempt in {
            "send to": partial(sqs.send_message, QueueUrl=url, MessageBody="{}"),
            "read": partial(sqs.receive_message, QueueUrl=url),
            "delete in": partial(sqs.delete_message, QueueUrl=url, ReceiptHandle="none"),
        }.items()
    }
    allowed = [what for what, attempt in attempts.items() if not is_rejected(attempt)]
    if allowed or not attempts:
        raise DeployCheckError("Reply queues are not private:\n  " + "\n  ".join(allowed))
    return len(attempts)


def is_rejected(attempt: Callable[[], Any]) -> bool:
    """Try it; any other answer than a rejection counts as access."""
    try:
        attempt()
    except ClientError as error:
        return "AccessDenied" in str(error.response["Error"]["Code"])
    return False


def _attempts(cloud: Cloud, name: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield each queue and secret of the others, and how the function tries to read it."""
    role_arn = cloud.outputs["function_role_arns"][name]
    sqs, manager = (cloud.in_role(role_arn, one) for one in ("sqs", "secretsmanager"))
    for url in _queues(cloud):
        if not url.endswith(f"/{cloud.prefix}-{name}"):
            yield url, partial(sqs.receive_message, QueueUrl=url, VisibilityTimeout=0)
    own = _own_secrets(cloud, name)
    for arn in _secrets(cloud):
        if not any(one in arn for one in own):
            yield arn, partial(manager.get_secret_value, SecretId=arn)


def _queues(cloud: Cloud) -> Iterator[str]:
    """List every queue of the deployment: requests, dead letters, replies."""
    pages = cloud.client("sqs").get_paginator("list_queues")
    for page in pages.paginate(QueueNamePrefix=f"{cloud.prefix}-"):
        yield from page.get("QueueUrls", ())


def _secrets(cloud: Cloud) -> Iterator[str]:
    pages = cloud.client("secretsmanager").get_paginator("list_secrets").paginate()
    yield from (secret["ARN"] for page in pages for secret in page["SecretList"])


def _own_secrets(cloud: Cloud, name: str) -> list[str]:
    """Return the secrets that the function's environment names."""
    function = cloud.outputs["function_names"][name]
    found = cloud.client("lambda").get_function_configuration(FunctionName=function)
    variables = found["Environment"]["Variables"]
    return [value for key, value in variables.items() if key.endswith("_SECRET_ID")]
