"""Tokens as an attacker would make or find them, for the running service's user pool.

The emulated pool signs with a key that everybody has, so a token can be forged here that on AWS
only Cognito could sign: what is rejected then is rejected for what it says, not for its signature.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from moto.utilities.utils import load_resource

from tests.support.api import PASSWORD, Environment, Resident

KEY_ID = "dummy"


class Forger:
    """Makes tokens about one resident."""

    def __init__(self, env: Environment, resident: Resident) -> None:
        self._env = env
        self._resident = resident
        self._key: Any = RSAAlgorithm.from_jwk(
            load_resource("cognitoidp/resources/jwks-private.json")
        )
        token = resident.caller.token
        assert token is not None
        self.claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})

    def signed(self, **changes: Any) -> str:
        """Sign as the pool does; None leaves a claim out."""
        claims = {
            name: value for name, value in (self.claims | changes).items() if value is not None
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": KEY_ID})

    def expired(self) -> str:
        """Make a token that ended a minute ago."""
        return self.signed(exp=datetime.now(UTC) - timedelta(minutes=1))

    def unsigned(self, algorithm: str) -> str:
        """Write the claims with an algorithm that signs nothing, and no signature."""
        return f"{part({'alg': algorithm, 'kid': KEY_ID, 'typ': 'JWT'})}.{part(self.claims)}."

    def signed_by_public_key(self) -> str:
        """Use the public key, which everybody may have, as the secret of an HMAC."""
        public = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return _hmac_token({"alg": "HS256", "kid": KEY_ID}, self.claims, public)

    def signed_by_own_key(self, **header: Any) -> str:
        """Sign with a key that the attacker has made, and point to it in the header."""
        own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        jwk = RSAAlgorithm.to_jwk(own.public_key(), as_dict=True)
        headers = {"kid": KEY_ID, "jwk": jwk, **header}
        return jwt.encode(self.claims, own, algorithm="RS256", headers=headers)

    def with_other_claims_under_the_same_signature(self) -> str:
        """Put another subject between header and signature."""
        header, _, signature = str(self._resident.caller.token).split(".")
        return f"{header}.{part({**self.claims, 'sub': str(uuid4())})}.{signature}"

    def of_another_pool(self) -> str:
        """Sign in to another pool of the same account."""
        cognito = self._env.stack.clients.cognito
        pool = cognito.create_user_pool(PoolName=f"other-{uuid4().hex[:8]}")["UserPool"]["Id"]
        return self._sign_in(pool, f"user-{uuid4().hex[:8]}")["IdToken"]

    def for_another_client(self) -> str:
        """Sign in to the pool itself by another client, as another application would."""
        return self._sign_in(self._env.stack.cloud.user_pool_id, self._resident.username)["IdToken"]

    def of_this_session(self, kind: str) -> str:
        """Return another token of a fresh login: `access_token` or `refresh_token`."""
        session = self._env.login(self._resident.username)
        return str(session["data"]["tokens"][kind])

    def _sign_in(self, pool: str, username: str) -> Mapping[str, str]:
        cognito: Any = self._env.stack.clients.cognito
        flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        client = cognito.create_user_pool_client(
            UserPoolId=pool, ClientName="other", ExplicitAuthFlows=flows
        )["UserPoolClient"]["ClientId"]
        if pool != self._env.stack.cloud.user_pool_id:
            cognito.admin_create_user(UserPoolId=pool, Username=username)
            cognito.admin_set_user_password(
                UserPoolId=pool, Username=username, Password=PASSWORD, Permanent=True
            )
        try:
            signed_in: Mapping[str, str] = cognito.initiate_auth(
                ClientId=client,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": username, "PASSWORD": PASSWORD},
            )["AuthenticationResult"]
        finally:
            cognito.delete_user_pool_client(UserPoolId=pool, ClientId=client)
        return signed_in


def part(value: object) -> str:
    """Encode a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _hmac_token(header: Mapping[str, Any], claims: Mapping[str, Any], secret: bytes) -> str:
    # PyJWT rejects to make such a token, so it is put together here.
    signing = f"{part(header)}.{part(claims)}"
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = base64.urlsafe_b64encode(algorithm.sign(signing.encode(), secret))
    return f"{signing}.{signature.rstrip(b'=').decode()}"
