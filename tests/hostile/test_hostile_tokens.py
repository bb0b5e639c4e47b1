"""Tokens that are not this resident's, not for this service, not signed, or not good any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.hostile.routes import Ask, Route, routes
from tests.hostile.tokens import Forger
from tests.support.api import PASSWORD, Caller, Environment, Json, Resident

SECURED = [route for route in routes() if route.secured]
REJECTED: dict[str, Callable[[Forger], str]] = {
    "unsigned": lambda forger: forger.unsigned("none"),
    "unsigned in another spelling": lambda forger: forger.unsigned("nOnE"),
    "signed by the public key": Forger.signed_by_public_key,
    "signed by an own key in its header": Forger.signed_by_own_key,
    "signed by an own key at an address": lambda forger: forger.signed_by_own_key(
        jku="http://127.0.0.1:9/jwks.json", x5u="http://127.0.0.1:9/x.pem"
    ),
    "an unknown key id": lambda forger: forger.signed_by_own_key(kid="../../etc/passwd"),
    "a changed subject": Forger.with_other_claims_under_the_same_signature,
    "of another pool": Forger.of_another_pool,
    "of a pool that says it is another": lambda forger: forger.signed(
        iss=f"{forger.claims['iss']}.example"
    ),
    "for another client": Forger.for_another_client,
    "for nobody": lambda forger: forger.signed(aud=None),
    "for several": lambda forger: forger.signed(aud=[forger.claims["aud"], "other"]),
    "without a subject": lambda forger: forger.signed(sub=None),
    "without an end": lambda forger: forger.signed(exp=None),
    "an access token": lambda forger: forger.of_this_session("access_token"),
    "a refresh token": lambda forger: forger.of_this_session("refresh_token"),
    "an id token that says it is an access token": lambda forger: forger.signed(token_use="access"),
    "an id token that does not say what it is": lambda forger: forger.signed(token_use=None),
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
    return Forger(stage, resident)


def answers(env: Environment, resident: Resident, token: str) -> set[tuple[int, str | None]]:
    """Ask each secured route with the token; give statuses and codes."""
    return {_answer(env, resident, route, token) for route in SECURED}


def _answer(
    env: Environment, resident: Resident, route: Route, token: str
) -> tuple[int, str | None]:
    headers = {"Authorization": f"Bearer {token}"}
    answer = Ask(route, apartment=resident.home.apartment, headers=headers).send(env.http)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    return answer.status_code, (answer.json() if answer.content else {}).get("code")


def test_what_the_pool_signs_for_this_client_is_let_in(
    stage: Environment, resident: Resident, forger: Forger
) -> None:
    let_in = {(202, None), (200, None), (400, "invalid_receipt")}
    assert answers(stage, resident, forger.signed()) == let_in


@pytest.mark.parametrize("kind", REJECTED)
def test_a_token_that_is_not_for_this_service_opens_no_route(
    stage: Environment, resident: Resident, forger: Forger, kind: str
) -> None:
    assert answers(stage, resident, REJECTED[kind](forger)) == {(401, "unauthorized")}


def test_an_expired_token_opens_no_route_and_says_so(
    stage: Environment, resident: Resident, forger: Forger
) -> None:
    assert answers(stage, resident, forger.expired()) == {(401, "token_expired")}


def _disable(env: Environment, resident: Resident) -> None:
    cognito, pool = env.stack.clients.cognito, env.stack.cloud.user_pool_id
    # As disable_login does it.
    cognito.admin_disable_user(UserPoolId=pool, Username=resident.username)
    cognito.admin_user_global_sign_out(UserPoolId=pool, Username=resident.username)


def _delete(env: Environment, resident: Resident) -> None:
    cognito, pool = env.stack.clients.cognito, env.stack.cloud.user_pool_id
    # Cognito ends the sessions of a user whom it deletes; the emulated pool must be told.
    cognito.admin_user_global_sign_out(UserPoolId=pool, Username=resident.username)
    cognito.admin_delete_user(UserPoolId=pool, Username=resident.username)


@pytest.mark.parametrize(
    ("end", "code"), [(_disable, "account_disabled"), (_delete, "invalid_credentials")]
)
def test_a_login_that_was_ended_gets_no_new_token_and_no_apartment_once_that_is_taken(
    stage: Environment, end: Callable[[Environment, Resident], None], code: str
) -> None:
    ada = stage.resident()
    refresh = stage.login(ada.username)["data"]["tokens"]["refresh_token"]
    end(stage, ada)
    assert stage.login(ada.username, PASSWORD)["code"] == code
    assert _renewed(stage, refresh)["status"] == "rejected"
    # The token in hand is good until it ends, as docs/security.md says: the ledger decides.
    debts = f"/apartments/{ada.home.apartment}/utils"
    assert ada.caller.ask(debts, {})["status"] == "done"
    stage.ledger.ask("operator", "end_residency", ada.home.subject, ada.home.apartment)
    assert ada.caller.ask(debts, {})["code"] == "apartment_not_found"


def _renewed(env: Environment, refresh_token: str) -> Json:
    caller: Any = Caller(env.http)
    answer: Json = caller.ask("/auth", {"refresh_token": refresh_token})
    return answer
