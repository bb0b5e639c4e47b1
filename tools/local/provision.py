"""What Terraform makes in the cloud, made here: queues, user pool, app client, secrets.

Everything is looked for first, so running it again changes nothing that is right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tools.local.clients import Clients
from tools.local.service import service
from tools.local.settings import Settings

DATABASE_ROLES = ("writer", "reader", "operator")


@dataclass(frozen=True)
class Identity:
    """The user pool and the client that residents log in through."""

    user_pool_id: str
    user_pool_client_id: str


def request_queue_name(prefix: str, function: str) -> str:
    """Name of the queue that feeds a function."""
    return f"{prefix}-{function}"


def provision_queues(clients: Clients, settings: Settings) -> None:
    """Make the request queues and their dead-letter queues as the settings want them."""
    for function, queue in service().queues.items():
        name = request_queue_name(settings.prefix, function)
        attributes = {
            "VisibilityTimeout": str(settings.visibility_timeout_seconds(function)),
            "MessageRetentionPeriod": str(queue.retention_seconds),
            "SqsManagedSseEnabled": "true",
        }
        if queue.dead_letters:
            attributes["RedrivePolicy"] = _redrive_policy(clients, f"{name}-dlq")
        _ensure_queue(clients, name, attributes)


def provision_identity(clients: Clients, settings: Settings) -> Identity:
    """Make the user pool and its client, or find those of an earlier start."""
    cognito, name = clients.cognito, settings.prefix
    pool_rules, client_rules = _pool_rules(), _client_rules()
    pool = _find_pool(clients, name)
    if pool is None:
        made = cognito.create_user_pool(
            PoolName=name, UsernameConfiguration={"CaseSensitive": False}, **pool_rules
        )
        pool = made["UserPool"]["Id"]
    clients_found = cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)
    client = next((one["ClientId"] for one in clients_found["UserPoolClients"]), None)
    if client is None:
        client = cognito.create_user_pool_client(
            UserPoolId=pool, ClientName=name, GenerateSecret=False, **client_rules
        )["UserPoolClient"]["ClientId"]
    # Those of an earlier start take the current rules.
    cognito.update_user_pool(UserPoolId=pool, **pool_rules)
    cognito.update_user_pool_client(UserPoolId=pool, ClientId=client, **client_rules)
    return Identity(user_pool_id=pool, user_pool_client_id=client)


def provision_secrets(
    clients: Clients,
    settings: Settings,
    *,
    database_url: str,
    redis_url: str,
    role_passwords: Mapping[str, str],
) -> None:
    """Store how to reach database and cache.

    `database_url` is the owner's; `role_passwords` has one for each of DATABASE_ROLES.
    """
    owner = database_secret(database_url)
    folder = f"{settings.prefix}/database"
    _ensure_secret(clients, f"{folder}/migrator", owner)
    for role in DATABASE_ROLES:
        login = {"username": f"billing_{role}", "password": role_passwords[role]}
        _ensure_secret(clients, f"{folder}/{role}", owner | login)
    _ensure_secret(clients, f"{settings.prefix}/cache", cache_secret(redis_url))


def database_secret(url: str) -> dict[str, Any]:
    """Turn a Postgres URL into the secret that the functions read."""
    parts = urlsplit(url)
    return {
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "host": parts.hostname or "127.0.0.1",
        "port": parts.port or 5432,
        "dbname": unquote(parts.path.lstrip("/")) or "billing",
        "sslmode": parse_qs(parts.query).get("sslmode", ["prefer"])[0],
    }


def cache_secret(url: str) -> dict[str, Any]:
    """Turn a Redis URL (`redis://` or `rediss://`) into the secret that the functions read."""
    parts = urlsplit(url)
    return {
        "host": parts.hostname or "127.0.0.1",
        "port": parts.port or 6379,
        "username": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "tls": parts.scheme == "rediss",
    }


def _redrive_policy(clients: Clients, name: str) -> str:
    attributes = {"MessageRetentionPeriod": str(service().dead_letter_retention_seconds)}
    url = _ensure_queue(clients, name, attributes)
    got = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    target = {"deadLetterTargetArn": got["Attributes"]["QueueArn"]}
    return json.dumps(target | {"maxReceiveCount": service().max_receive_count})


def _ensure_queue(clients: Clients, name: str, attributes: dict[str, str]) -> str:
    sqs: Any = clients.sqs
    # Without attributes this finds the queue when it is there.
    url = str(sqs.create_queue(QueueName=name)["QueueUrl"])
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return url


def _find_pool(clients: Clients, name: str) -> str | None:
    pages = clients.cognito.get_paginator("list_user_pools").paginate(
        PaginationConfig={"PageSize": 60}
    )
    pools = (pool for page in pages for pool in page["UserPools"])
    return next((pool["Id"] for pool in pools if pool["Name"] == name), None)


def _pool_rules() -> Any:
    logins = service().logins
    policy = {
        "MinimumLength": logins.password_minimum_length,
        **{f"Require{kind.capitalize()}": True for kind in logins.password_kinds},
        "TemporaryPasswordValidityDays": logins.temporary_password_days,
    }
    return {
        "Policies": {"PasswordPolicy": policy},
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
    }


def _client_rules() -> Any:
    logins = service().logins
    units = {"IdToken": "minutes", "AccessToken": "minutes", "RefreshToken": "days"}
    return {
        "ExplicitAuthFlows": list(logins.login_flows),
        "IdTokenValidity": logins.token_minutes,
        "AccessTokenValidity": logins.token_minutes,
        "RefreshTokenValidity": logins.refresh_token_days,
        "TokenValidityUnits": units,
        "PreventUserExistenceErrors": "ENABLED",
        "EnableTokenRevocation": True,
    }


def _ensure_secret(clients: Clients, name: str, content: dict[str, Any]) -> None:
    secrets: Any = clients.secrets
    text = json.dumps(content)
    try:
        secrets.create_secret(Name=name, SecretString=text)
    except secrets.exceptions.ResourceExistsException:
        secrets.put_secret_value(SecretId=name, SecretString=text)
