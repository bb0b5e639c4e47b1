"""Acts in each role and tries every queue and secret that is not its own: read, send, delete."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from tools.deploy_check.cloud import Cloud
from tools.deploy_check.errors import DeployCheckError
from tools.local.service import service


def require_no_access(cloud: Cloud) -> int:
    """Return how many calls were tried and all rejected.

    Raises:
        DeployCheckError: a role can do something with what is not its own.
    """
    outputs = cloud.outputs
    roles = {"gateway": outputs["gateway_role_arn"], "redrive": outputs["redrive_role_arn"]}
    attempts = {
        f"{name}: {what}": attempt
        for name, role_arn in (outputs["function_role_arns"] | roles).items()
        for what, attempt in _attempts(cloud, name, role_arn)
    }
    accessible = [what for what, attempt in attempts.items() if not is_rejected(attempt)]
    if accessible:
        raise DeployCheckError(
            "Roles can access what is not their own:\n  " + "\n  ".join(accessible)
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


def _attempts(cloud: Cloud, name: str, role_arn: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield what a role must not do, and how it tries to."""
    sqs, manager = (cloud.in_role(role_arn, one) for one in ("sqs", "secretsmanager"))
    for kind, url in _queues(cloud).items():
        if kind not in _reads(name):
            yield f"read {url}", partial(sqs.receive_message, QueueUrl=url, VisibilityTimeout=0)
            yield f"delete in {url}", partial(sqs.delete_message, QueueUrl=url, ReceiptHandle="no")
        if kind not in _sends(name):
            yield f"send to {url}", partial(sqs.send_message, QueueUrl=url, MessageBody="{}")
    own = _own_secrets(cloud, name)
    for arn in _secrets(cloud):
        if not any(one in arn for one in own):
            yield f"read {arn}", partial(manager.get_secret_value, SecretId=arn)


def _reads(name: str) -> set[str]:
    """Return the kinds of queues that a role reads and deletes messages in."""
    if name == "gateway":
        return {"login", "r"}
    return _dead_letters() if name == "redrive" else {name}


def _sends(name: str) -> set[str]:
    """Return the kinds of queues that a role sends to."""
    if name == "gateway":
        return set(service().queues)
    if name == "redrive":
        return {kind.removesuffix("-dlq") for kind in _dead_letters()}
    return {"login" if name == "auth" else "r"} if name in service().queues else set()


def _dead_letters() -> set[str]:
    return {f"{name}-dlq" for name, queue in service().queues.items() if queue.dead_letters}


def _queues(cloud: Cloud) -> dict[str, str]:
    """Return every queue for requests and dead letters, and one for replies of each kind."""
    prefix = f"{cloud.prefix}-"
    pages = cloud.client("sqs").get_paginator("list_queues").paginate(QueueNamePrefix=prefix)
    urls = {
        url.rpartition("/")[2].removeprefix(prefix): url
        for page in pages
        for url in page.get("QueueUrls", ())
    }
    return {name if name in _kinds() else name.partition("-")[0]: url for name, url in urls.items()}


def _kinds() -> set[str]:
    return {*service().queues, *_dead_letters()}


def _secrets(cloud: Cloud) -> Iterator[str]:
    pages = cloud.client("secretsmanager").get_paginator("list_secrets").paginate()
    yield from (secret["ARN"] for page in pages for secret in page["SecretList"])


def _own_secrets(cloud: Cloud, name: str) -> list[str]:
    """Return the secrets that the environment of a function names; other roles have none."""
    if name not in cloud.outputs["function_names"]:
        return []
    function = cloud.outputs["function_names"][name]
    found = cloud.client("lambda").get_function_configuration(FunctionName=function)
    variables = found["Environment"]["Variables"]
    return [value for key, value in variables.items() if key.endswith("_SECRET_ID")]
