"""Who may call: id tokens of the user pool, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from werkzeug.test import Client

from tests.unit.gateway.tools import (
    ANNA,
    ISSUER,
    QUEUE_NAME,
    REQUEST,
    UTILS,
    Keyring,
    Queues,
    assert_rejected,
    reply_queue,
)

HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)


def post(client: Client, authorization: str | None) -> tuple[int, str | None]:
    """Ask for debts; give the status and the error code."""
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = client.post(UTILS, json=REQUEST, headers=headers)
    assert answer.json is not None
    return answer.status_code, answer.json.get("code")


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
        {"aud": "another-client"},
        {"aud": ""},
        {"aud": None},
    ],
)
def test_a_token_that_is_no_id_token_for_this_service_reaches_no_queue(
    client: Client, keyring: Keyring, queues: Queues, claims: dict[str, Any]
) -> None:
    queues.create(reply_queue(ANNA))
    queues.put(reply_queue(ANNA), {"request_id": "1"})
    [reply] = queues.messages(reply_queue(ANNA))
    target = f"{UTILS}/{QUEUE_NAME}?receipt={quote(reply['ReceiptHandle'])}"
    headers = {"Authorization": keyring.token(**claims)}
    for answer in (
        client.post(UTILS, json=REQUEST, headers=headers),
        client.get(target, headers=headers),
        client.delete(target, headers=headers),
    ):
        assert_rejected(answer, 401, "unauthorized")
    assert queues.requests() == []
    assert len(queues.messages(reply_queue(ANNA))) == 1


def test_an_expired_token_says_so(client: Client, keyring: Keyring) -> None:
    assert post(client, keyring.token(exp=HOUR_AGO)) == (401, "token_expired")


def test_an_expired_token_of_somebody_else_is_only_rejected(client: Client) -> None:
    assert post(client, Keyring().token(exp=HOUR_AGO)) == (401, "unauthorized")


def test_keys_that_can_not_be_had_are_our_fault(serve: Callable[..., Client]) -> None:
    class Unreachable:
        def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
            raise jwt.PyJWKClientConnectionError("no route")

    client = serve(keys=lambda _: Unreachable())
    assert post(client, Keyring().token()) == (500, "internal_error")
