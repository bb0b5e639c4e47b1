"""The Cognito authorizer: who calls, by the id token of a user pool."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Protocol

import jwt

from tools.local.gateway.errors import GatewayError

_BEARER = re.compile(r"Bearer\s+", re.IGNORECASE)


class Keys(Protocol):
    """Finds the public key that signed a token; raises jwt.PyJWTError when there is none."""

    def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
        """Give the key by the token's key id."""


def issuer(user_pool_arn: str) -> str:
    """Give the issuer that stands in the tokens of a pool."""
    region, _, pool = user_pool_arn.split(":")[3:6]
    return f"https://cognito-idp.{region}.amazonaws.com/{pool.removeprefix('userpool/')}"


def pool_keys(user_pool_arn: str, endpoint_url: str) -> Keys:
    """Fetch (and cache) a pool's keys from the endpoint that stands in for Cognito."""
    pool_id = user_pool_arn.rpartition("/")[2]
    return jwt.PyJWKClient(f"{endpoint_url}/{pool_id}/.well-known/jwks.json", timeout=5)


class CognitoAuthorizer:
    """Verifies id tokens of some user pools."""

    def __init__(self, pools: Iterable[tuple[str, Keys]]) -> None:
        self._pools = {issuer(arn): keys for arn, keys in pools}

    def claims(self, header: str | None) -> dict[str, Any]:
        """Give the claims of a verified id token.

        Raises:
            GatewayError: UNAUTHORIZED, EXPIRED_TOKEN, or AUTHORIZER_CONFIGURATION_ERROR when
                the keys can't be had.
        """
        token = _BEARER.sub("", (header or "").strip(), count=1)
        try:
            return self._verified(token)
        except jwt.ExpiredSignatureError as error:
            raise GatewayError("EXPIRED_TOKEN", "expired") from error
        except jwt.PyJWKClientConnectionError as error:
            raise GatewayError("AUTHORIZER_CONFIGURATION_ERROR", "no keys") from error
        except (jwt.PyJWTError, ValueError) as error:
            raise GatewayError("UNAUTHORIZED", type(error).__name__) from error

    def _verified(self, token: str) -> dict[str, Any]:
        name = jwt.decode(token, options={"verify_signature": False}).get("iss")
        keys = self._pools.get(str(name))
        if keys is None:
            raise jwt.InvalidIssuerError("not one of our pools")
        claims = _decode(token, keys, str(name))
        if claims.get("token_use") != "id":
            raise jwt.InvalidTokenError("not an id token")
        return claims


def _decode(token: str, keys: Keys, name: str) -> dict[str, Any]:
    # Like API Gateway's authorizer, this lets any client of the pool call: the templates look
    # whom the token was issued to.
    return jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=["RS256"],
        issuer=name,
        options={"require": ["exp", "iss", "sub"], "verify_aud": False},
    )
