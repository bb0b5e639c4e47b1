"""Who may call: id tokens of the user pool, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from werkzeug.test import Client

from tests.unit.gateway.tools import CLIENT_ID, ISSUER, REQUEST, UTILS, Keyring

HOUR_AGO, IN_AN_HOUR = (datetime.now(UTC) + timedelta(hours=hours) for hours in (-1, 1))
MALFORMED = (None, "", "Bearer", "Bearer ", "Basic YTpi", "a.b.c", "ключ", "\x00", "." * 9000)
# Claims that another id token of the pool has, or None for one that is left out.
REJECTED = (
    {"token_use": "access"},
    {"token_use": None},
    {"iss": f"{ISSUER}/"},
    {"iss": None},
    {"exp": None},
    {"sub": None},
    {"nbf": IN_AN_HOUR},
    {"aud": "another-client"},
    {"aud": ""},
    {"aud": [CLIENT_ID, "another-client"]},
    {"aud": None},
)


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


def test_what_is_no_id_token_for_this_service_is_rejected(client: Client, keyring: Keyring) -> None:
    tokens = [*MALFORMED, *(keyring.token(**claims) for claims in REJECTED)]
    # Whether somebody else's has ended is not told.
    tokens.append(Keyring().token(exp=HOUR_AGO))
    answers = {token: post(client, token) for token in tokens}
    assert answers == dict.fromkeys(tokens, (401, "unauthorized"))


def test_an_expired_token_says_so(client: Client, keyring: Keyring) -> None:
    assert post(client, keyring.token(exp=HOUR_AGO)) == (401, "token_expired")


def test_keys_that_can_not_be_had_are_our_fault(serve: Callable[..., Client]) -> None:
    class Unreachable:
        def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
            raise jwt.PyJWKClientConnectionError("no route")

    client = serve(keys=lambda _: Unreachable())
    assert post(client, Keyring().token()) == (500, "internal_error")
