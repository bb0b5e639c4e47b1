"""Moto's Cognito, with users that survive a restart and tokens that last as long as they should.

Moto keeps users in memory, but a resident's `sub` must not change. Kept are pools, app clients,
users with their passwords and status, and refresh tokens. Id and access tokens need no keeping:
moto's signing key is fixed, so they stay good.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from moto.cognitoidp.models import (
    CognitoIdpBackend,
    CognitoIdpUser,
    CognitoIdpUserPool,
    CognitoIdpUserPoolClient,
    UserStatus,
    cognitoidp_backends,
)

from tools.local.settings import ACCOUNT_ID

# Enough for any sitting at one machine; it bounds the file, which is written on each change.
_REFRESH_TOKENS_KEPT = 2000
_CLIENT_FIELDS = ("id", "secret", "generate_secret", "extended_config")
_USER_FIELDS = (
    *("id", "username", "password", "enabled"),
    *("attributes", "attribute_lookup", "confirmation_code"),
)
_VALIDITY = {"id": "IdTokenValidity", "access": "AccessTokenValidity"}


def install() -> None:
    """Let each id and access token end after as many minutes as its app client has.

    Moto's own last for an hour, whatever the client says.
    """
    pool: Any = CognitoIdpUserPool
    create = pool.create_jwt

    def create_jwt(self: Any, client_id: str, username: str, use: str, **named: Any) -> Any:
        minutes = self.clients[client_id].extended_config.get(_VALIDITY[use], 60)
        return create(self, client_id, username, use, **{"expires_in": 60 * minutes} | named)

    pool.create_jwt = create_jwt


def backend(region: str) -> CognitoIdpBackend:
    """Moto's Cognito of a region."""
    return cognitoidp_backends[ACCOUNT_ID][region]


def snapshot(cognito: CognitoIdpBackend) -> dict[str, Any]:
    """Copy what must survive into plain JSON values."""
    return {"pools": [_pool_snapshot(pool) for pool in list(cognito.user_pools.values())]}


def restore(cognito: CognitoIdpBackend, kept: dict[str, Any]) -> None:
    """Put the pools of a snapshot into an empty backend."""
    for record in kept["pools"]:
        pool = _restored_pool(cognito, record)
        cognito.user_pools[pool.id] = pool


def _pool_snapshot(pool: CognitoIdpUserPool) -> dict[str, Any]:
    tokens = list(pool.refresh_tokens.items())[-_REFRESH_TOKENS_KEPT:]
    return {
        "id": pool.id,
        "arn": pool.arn,
        "name": pool.name,
        "extended_config": pool.extended_config,
        "clients": [_fields(client, _CLIENT_FIELDS) for client in list(pool.clients.values())],
        "users": [_user_snapshot(user) for user in list(pool.users.values())],
        "refresh_tokens": [[token, grant] for token, grant in tokens if grant is not None],
    }


def _user_snapshot(user: CognitoIdpUser) -> dict[str, Any]:
    return _fields(user, _USER_FIELDS) | {
        "status": UserStatus(user.status).name,
        "create_date": user.create_date.isoformat(),
    }


def _fields(thing: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def _restored_pool(cognito: CognitoIdpBackend, record: dict[str, Any]) -> CognitoIdpUserPool:
    pool = CognitoIdpUserPool(
        cognito.account_id, cognito.region_name, record["name"], dict(record["extended_config"])
    )
    pool.id, pool.arn = record["id"], record["arn"]
    for fields in record["clients"]:
        pool.clients[fields["id"]] = _restored_client(pool, fields)
    for fields in record["users"]:
        pool.users[fields["username"]] = _restored_user(pool, fields)
    pool.refresh_tokens = {token: tuple(grant) for token, grant in record["refresh_tokens"]}
    return pool


def _restored_client(pool: CognitoIdpUserPool, fields: dict[str, Any]) -> CognitoIdpUserPoolClient:
    client = CognitoIdpUserPoolClient(pool.id, fields["generate_secret"], {})
    vars(client).update(fields)
    return client


def _restored_user(pool: CognitoIdpUserPool, fields: dict[str, Any]) -> CognitoIdpUser:
    status = UserStatus[fields["status"]]
    user = CognitoIdpUser(pool.id, fields["username"], fields["password"], status, [])
    vars(user).update({name: fields[name] for name in _USER_FIELDS})
    user.create_date = datetime.fromisoformat(fields["create_date"])
    return user
