"""Tokens that are not this resident's, not for this service, not signed, or not good any more.

The emulated pool signs with a key that everybody has, so a token can be forged here that on AWS
only Cognito could sign: what is rejected then is rejected for what it says, not for its signature.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import HMACAlgorithm, RSAAlgorithm
from moto.utilities.utils import load_resource

from tests.hostile.routes import routes
from tests.support.api import Environment, Json, Resident

HEADER = {"alg": "RS256", "kid": "dummy"}
UNAUTHORIZED = {(401, "unauthorized")}
LET_IN = {(202, None), (200, None), (400, "invalid_receipt")}


class Forger:
    """Makes tokens about one resident, as an attacker would make or find them."""

    def __init__(self, tokens: Json) -> None:
        self.tokens = tokens
        self.claims: Json = jwt.decode(tokens["id_token"], options={"verify_signature": False})
        jwk = load_resource("cognitoidp/resources/jwks-private.json")
        self._key: Any = RSAAlgorithm.from_jwk(jwk)

    def signed(self, **changes: Any) -> str:
        """Sign as the pool does."""
        return jwt.encode(self.claims | changes, self._key, algorithm="RS256", headers=HEADER)

    def unsigned(self, algorithm: str) -> str:
        """Write the claims with an algorithm that signs nothing, and no signature."""
        return f"{part({**HEADER, 'alg': algorithm})}.{part(self.claims)}."

    def signed_by_public_key(self) -> str:
        """Use the public key, which everybody may have, as the secret of an HMAC."""
        public = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        # PyJWT rejects to make such a token, so it is put together here.
        signing = f"{part({**HEADER, 'alg': 'HS256'})}.{part(self.claims)}"
        signature = HMACAlgorithm(HMACAlgorithm.SHA256).sign(signing.encode(), public)
        return f"{signing}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    def signed_by_own_key(self, **header: Any) -> str:
        """Sign with a key that the attacker has made, and point to it in the header."""
        own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        jwk = RSAAlgorithm.to_jwk(own.public_key(), as_dict=True)
        headers = {**HEADER, "jwk": jwk, **header}
        return jwt.encode(self.claims, own, algorithm="RS256", headers=headers)

    def with_another_subject(self) -> str:
        """Put another subject between header and signature."""
        header, _, signature = self.tokens["id_token"].split(".")
        return f"{header}.{part({**self.claims, 'sub': str(uuid4())})}.{signature}"


def part(value: object) -> str:
    """Encode a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


# What a token of the pool must say is tried in unit/gateway, no token at all by schemathesis.
FORGED: dict[str, Callable[[Forger], str]] = {
    "unsigned": lambda forger: forger.unsigned("none"),
    "unsigned in another spelling": lambda forger: forger.unsigned("nOnE"),
    "signed by the public key": Forger.signed_by_public_key,
    "signed by an own key in its header": Forger.signed_by_own_key,
    "signed by an own key at an address": lambda forger: forger.signed_by_own_key(
        jku="http://127.0.0.1:9/jwks.json", x5u="http://127.0.0.1:9/x.pem"
    ),
    "an unknown key id": lambda forger: forger.signed_by_own_key(kid="../../etc/passwd"),
    "a changed subject": Forger.with_another_subject,
    "for another client": lambda forger: forger.signed(aud="another"),
    "an access token": lambda forger: forger.tokens["access_token"],
    "a refresh token": lambda forger: forger.tokens["refresh_token"],
}


@pytest.fixture(scope="module")
def resident(stage: Environment) -> Resident:
    """Give a resident who owes something."""
    resident = stage.resident()
    stage.ledger.bill(resident.home)
    return resident


@pytest.fixture(scope="module")
def forger(stage: Environment, resident: Resident) -> Forger:
    """Give somebody who makes tokens about the resident."""
    return Forger(stage.login(resident.username)["data"]["tokens"])


def answers(env: Environment, resident: Resident, token: str) -> set[tuple[int, str | None]]:
    """Ask each secured route with the token; give statuses and codes."""
    found = set()
    headers = {"Authorization": f"Bearer {token}"}
    for route in routes():
        if route.secured:
            values = route.usual(apartment_id=resident.home.apartment)
            answer = route.send(env.http, values, headers)
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            found.add((answer.status_code, (answer.json() if answer.content else {}).get("code")))
    return found


def test_what_the_pool_signs_for_this_client_is_let_in_until_it_ends(
    stage: Environment, resident: Resident, forger: Forger
) -> None:
    assert answers(stage, resident, forger.signed()) == LET_IN
    expired = forger.signed(exp=datetime.now(UTC) - timedelta(minutes=1))
    assert answers(stage, resident, expired) == {(401, "token_expired")}


@pytest.mark.parametrize("kind", FORGED)
def test_a_token_that_is_not_for_this_service_opens_no_route(
    stage: Environment, resident: Resident, forger: Forger, kind: str
) -> None:
    assert answers(stage, resident, FORGED[kind](forger)) == UNAUTHORIZED


@pytest.mark.parametrize("end", ["admin_disable_user", "admin_delete_user"])
def test_a_login_that_was_ended_gets_no_new_token_and_no_later_bill_once_the_apartment_is_taken(
    stage: Environment, end: str
) -> None:
    ada = stage.resident()
    refresh = stage.login(ada.username)["data"]["tokens"]["refresh_token"]
    user: Any = {"UserPoolId": stage.stack.cloud.user_pool_id, "Username": ada.username}
    # As disable_login does it. Cognito itself ends the sessions of a user whom it deletes; the
    # emulated pool must be told.
    stage.stack.clients.cognito.admin_user_global_sign_out(**user)
    getattr(stage.stack.clients.cognito, end)(**user)
    assert stage.login(ada.username)["code"] == "invalid_credentials"
    renewed = stage.caller().ask("/auth", {"refresh_token": refresh})
    assert renewed["status"] == "rejected"
    # The token in hand is good until it ends, as docs/security.md says: the ledger decides.
    debts = f"/apartments/{ada.home.apartment}/utils"
    assert ada.caller.ask(debts, {})["status"] == "done"
    stage.ledger.end_residency(ada.home)
    later = stage.ledger.bill(ada.home, period_from="2999-01-01", period_to="2999-01-31")
    assert ada.caller.ask(debts, {})["data"]["debts"] == []
    assert ada.caller.pay(ada.home.apartment, later)["code"] == "bill_not_found"
