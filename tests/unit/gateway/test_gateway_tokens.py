"""Who may call: id tokens of the user pool, and nothing else."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from werkzeug.test import Client

from tests.unit.gateway.tools import (
    ANNA,
    APARTMENT,
    ISSUER,
    QUEUE_NAME,
    Keyring,
    MemoryQueues,
    reply_queue,
)

URL = f"/apartments/{APARTMENT}/utils"
HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)


def post(client: Client, authorization: str | None) -> tuple[int, str | None]:
    """Ask for debts; give the status and the error code."""
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = client.post(URL, json={"queue_name": QUEUE_NAME}, headers=headers)
    assert answer.json is not None
    return answer.status_code, answer.json.get("code")


def part(value: object) -> str:
    """Encode a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("prefix", ["", "Bearer ", "bearer "])
def test_an_id_token_is_taken_bare_or_after_bearer(
    client: Client, keyring: Keyring, prefix: str
) -> None:
    assert post(client, prefix + keyring.token()) == (202, None)


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Basic YTpi", "a.b.c", "Bearer x", "ключ", "\x00", "." * 9000],
)
def test_a_missing_or_malformed_token_is_rejected(
    client: Client, authorization: str | None
) -> None:
    assert post(client, authorization) == (401, "unauthorized")


@pytest.mark.parametrize(
    "claims",
    [
        {"token_use": "access"},
        {"token_use": None},
        {"iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_oTheRpOoL"},
        {"iss": f"{ISSUER}/"},
        {"iss": None},
        {"exp": None},
        {"nbf": datetime.now(UTC) + timedelta(hours=1)},
    ],
)
def test_a_token_that_is_no_id_token_of_the_pool_is_rejected(
    client: Client, keyring: Keyring, claims: dict[str, Any]
) -> None:
    assert post(client, keyring.token(**claims)) == (401, "unauthorized")


@pytest.mark.parametrize("audience", ["another-client", "", None])
def test_a_token_for_another_client_of_the_pool_is_rejected_and_reaches_no_queue(
    client: Client, keyring: Keyring, queues: MemoryQueues, audience: str | None
) -> None:
    headers = {"Authorization": keyring.token(aud=audience)}
    queues.create(reply_queue(ANNA))
    queues.put(reply_queue(ANNA), {"request_id": "1"})
    before = deepcopy(queues.messages)
    target = f"{URL}/{QUEUE_NAME}?receipt={quote(before[reply_queue(ANNA)][0]['ReceiptHandle'])}"
    answers = [
        client.post(URL, json={"queue_name": QUEUE_NAME}, headers=headers),
        client.get(target, headers=headers),
        client.delete(target, headers=headers),
    ]
    assert [(answer.status_code, answer.json and answer.json["code"]) for answer in answers] == [
        (401, "unauthorized")
    ] * 3
    assert queues.messages == before


def test_an_expired_token_says_so(client: Client, keyring: Keyring) -> None:
    assert post(client, keyring.token(exp=HOUR_AGO)) == (401, "token_expired")


def test_an_expired_token_of_somebody_else_is_only_rejected(client: Client) -> None:
    assert post(client, Keyring().token(exp=HOUR_AGO)) == (401, "unauthorized")


def test_the_keys_of_somebody_else_open_nothing(client: Client) -> None:
    assert post(client, Keyring().token()) == (401, "unauthorized")


def test_an_unsigned_token_is_rejected(client: Client) -> None:
    claims = {"sub": ANNA, "iss": ISSUER, "token_use": "id", "exp": 4102444800}
    for header in ({"alg": "none", "kid": "k1"}, {"alg": "None"}):
        assert post(client, f"{part(header)}.{part(claims)}.") == (401, "unauthorized")


def test_a_token_signed_by_the_public_key_as_a_secret_is_rejected(client: Client) -> None:
    claims = {"sub": ANNA, "iss": ISSUER, "token_use": "id", "exp": 4102444800}
    secret = "s" * 32
    token = jwt.encode(claims, secret, algorithm="HS256", headers={"kid": "k1"})
    assert post(client, token) == (401, "unauthorized")


def test_a_changed_claim_breaks_the_signature(client: Client, keyring: Keyring) -> None:
    header, claims, signature = keyring.token().split(".")
    forged = {**json.loads(base64.urlsafe_b64decode(claims + "==")), "sub": "victim"}
    assert post(client, f"{header}.{part(forged)}.{signature}") == (401, "unauthorized")


def test_keys_that_can_not_be_had_are_our_fault(serve: Callable[..., Client]) -> None:
    class Unreachable:
        def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
            raise jwt.PyJWKClientConnectionError("no route")

    client = serve(keys=lambda _: Unreachable())
    assert post(client, Keyring().token()) == (500, "internal_error")


def test_the_verified_subject_travels_beside_the_body(
    client: Client, keyring: Keyring, queues: MemoryQueues
) -> None:
    post(client, keyring.token())
    assert queues.messages["bill-test-utils"][0]["attributes"]["subject"] == ANNA


def test_login_needs_no_token(client: Client) -> None:
    body = {"username": "a", "password": "b", "queue_name": QUEUE_NAME}
    assert client.post("/auth", json=body).status_code == 202
