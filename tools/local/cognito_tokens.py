"""Moto's tokens last for an hour, whatever the app client says; here they last as it says."""

from typing import Any

from moto.cognitoidp.models import CognitoIdpUserPool

_VALIDITY = {"id": "IdTokenValidity", "access": "AccessTokenValidity"}


def install() -> None:
    """Let each id and access token end after as many minutes as its app client has."""
    pool: Any = CognitoIdpUserPool
    pool.create_jwt = _with_lifetime(pool.create_jwt)


def _with_lifetime(create: Any) -> Any:
    def create_jwt(
        pool: CognitoIdpUserPool, client_id: str, username: str, use: str, **named: Any
    ) -> Any:
        minutes = pool.clients[client_id].extended_config.get(_VALIDITY[use], 60)
        return create(pool, client_id, username, use, **{"expires_in": 60 * minutes} | named)

    return create_jwt
