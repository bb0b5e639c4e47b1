"""Where the parts of the running local stack are, and the environment of each function."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tools.local.clients import credentials
from tools.local.errors import LocalStackError
from tools.local.files import read_json, write_private_json
from tools.local.service import service
from tools.local.settings import ACCOUNT_ID, LOCAL_CREDENTIALS, state_folder

# Nobody has a role here, so none can be named as in terraform/modules/functions/reply_queues.tf.
_REPLY_QUEUE_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Sid": "OnlyThisAccount",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT_ID}},
        },
    }
)


@dataclass(frozen=True)
class Cloud:
    """What `cloud.json` says. `database_url` is the owner's; `pids` are by process name."""

    api: str
    prefix: str
    region: str
    aws_endpoint_url: str
    aws_is_embedded: bool
    database_url: str
    redis_url: str
    user_pool_id: str
    user_pool_client_id: str
    workers: list[str]
    logs: str
    pids: dict[str, int] = field(default_factory=dict)


def write_cloud(state: Path, cloud: Cloud) -> None:
    """Write `cloud.json` into the state folder, for its owner's eyes only."""
    write_private_json(state / "cloud.json", asdict(cloud))


def read_cloud(state: Path | None = None) -> Cloud:
    """Read `cloud.json` of the state folder (BILLING_STATE or `.local`).

    Raises:
        LocalStackError: The service was never started there.
    """
    folder = state or state_folder(os.environ)
    content = read_json(folder / "cloud.json")
    if content is None:
        raise LocalStackError(f"Nothing was started in {folder} yet. Run `make up` first.")
    return Cloud(**content)


def environment(function: str, state: Path | None = None) -> dict[str, str]:
    """Compute the environment variables that a function is deployed with, for this machine.

    `function` is a name from app.py, or `gateway` for what all have in common.

    Raises:
        KeyError: No function has this name.
        LocalStackError: Nothing was started yet.
    """
    return environment_of(read_cloud(state), function)


def environment_of(cloud: Cloud, function: str) -> dict[str, str]:
    """Compute the environment of a function for a cloud that was read before."""
    common = _common(cloud)
    if function == "gateway":
        return common
    secrets = f"{cloud.prefix}/database"
    deployed = service().functions[function]
    variables = common | {"DATABASE_SECRET_ID": f"{secrets}/{deployed.database_role}"}
    if deployed.uses_cache:
        variables["CACHE_SECRET_ID"] = f"{cloud.prefix}/cache"
    if function in service().queues:
        queue = f"{cloud.prefix}-{function}"
        variables |= {
            "REQUEST_QUEUE_URL": f"{cloud.aws_endpoint_url}/{ACCOUNT_ID}/{queue}",
            "REPLY_QUEUE_POLICY": _REPLY_QUEUE_POLICY,
        }
    if function == "migrate":
        roles = ("writer", "reader", "operator")
        variables |= {f"{role.upper()}_SECRET_ID": f"{secrets}/{role}" for role in roles}
    return variables


def _common(cloud: Cloud) -> dict[str, str]:
    keys = LOCAL_CREDENTIALS if cloud.aws_is_embedded else credentials()
    return {
        "BILLING_PREFIX": cloud.prefix,
        "AWS_REGION": cloud.region,
        "AWS_DEFAULT_REGION": cloud.region,
        "AWS_ENDPOINT_URL": cloud.aws_endpoint_url,
        "USER_POOL_ID": cloud.user_pool_id,
        "USER_POOL_CLIENT_ID": cloud.user_pool_client_id,
        "MAX_RECEIVE_COUNT": str(service().max_receive_count),
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "INFO"),
        **keys,
    }
