"""Cognito's users come back after a restart as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from moto.cognitoidp.models import CognitoIdpUserPool

from tools.local import demo, moto_cognito
from tools.local.clients import Clients
from tools.local.provision import Identity, provision_identity
from tools.local.service import service
from tools.local.settings import Settings

REGION = "eu-central-1"
PASSWORD = "Пароль-Aa1-example"


@pytest.fixture
def cognito(clients: Clients) -> Any:
    return clients.cognito


@pytest.fixture
def identity(clients: Clients, tmp_path: Path) -> Identity:
    return provision_identity(clients, Settings(state=tmp_path))


def add_user(cognito: Any, identity: Identity, username: str = "olena") -> str:
    user = {"UserPoolId": identity.user_pool_id, "Username": username}
    name = [{"Name": "name", "Value": "Олена Коваленко"}]
    made = cognito.admin_create_user(**user, UserAttributes=name, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
    attributes = {a["Name"]: a["Value"] for a in made["User"]["Attributes"]}
    return str(attributes["sub"])


def log_in(cognito: Any, identity: Identity, username: str = "olena") -> dict[str, Any]:
    answer: dict[str, Any] = cognito.initiate_auth(
        ClientId=identity.user_pool_client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": username, "PASSWORD": PASSWORD},
    )
    return answer


def restart() -> None:
    """What is left of the state after a round trip through the file."""
    backend = moto_cognito.backend(REGION)
    kept = json.loads(json.dumps(moto_cognito.snapshot(backend)))
    backend.reset()
    moto_cognito.restore(backend, kept)


def test_a_user_keeps_sub_name_and_password(cognito: Any, identity: Identity) -> None:
    sub = add_user(cognito, identity)
    restart()
    user = cognito.admin_get_user(UserPoolId=identity.user_pool_id, Username="olena")
    attributes = {a["Name"]: a["Value"] for a in user["UserAttributes"]}
    assert attributes == {"sub": sub, "name": "Олена Коваленко"}
    assert user["UserStatus"] == "CONFIRMED"
    assert "IdToken" in log_in(cognito, identity)["AuthenticationResult"]


def test_a_session_goes_on_after_a_restart(cognito: Any, identity: Identity) -> None:
    add_user(cognito, identity)
    token = log_in(cognito, identity)["AuthenticationResult"]["RefreshToken"]
    restart()
    again = cognito.initiate_auth(
        ClientId=identity.user_pool_client_id,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": token},
    )
    assert "IdToken" in again["AuthenticationResult"]


def test_a_disabled_user_stays_disabled(cognito: Any, identity: Identity) -> None:
    add_user(cognito, identity)
    cognito.admin_disable_user(UserPoolId=identity.user_pool_id, Username="olena")
    restart()
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        log_in(cognito, identity)


def test_a_temporary_password_still_has_to_be_changed(cognito: Any, identity: Identity) -> None:
    user = {"UserPoolId": identity.user_pool_id, "Username": "zoe"}
    cognito.admin_create_user(**user, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
    restart()
    assert log_in(cognito, identity, "zoe")["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_pool_and_client_are_found_again(
    clients: Clients, cognito: Any, identity: Identity, tmp_path: Path
) -> None:
    restart()
    assert provision_identity(clients, Settings(state=tmp_path)) == identity
    policy = password_policy(cognito, identity)
    assert policy["MinimumLength"] == service().logins.password_minimum_length


def test_a_pool_of_an_earlier_start_takes_the_current_rules(
    clients: Clients, cognito: Any, identity: Identity, tmp_path: Path
) -> None:
    poor = {"Policies": {"PasswordPolicy": {"MinimumLength": 6}}}
    ids = {"UserPoolId": identity.user_pool_id}
    cognito.update_user_pool(**ids, **poor)
    client_ids = ids | {"ClientId": identity.user_pool_client_id}
    cognito.update_user_pool_client(**client_ids, IdTokenValidity=1440, AccessTokenValidity=1440)
    provision_identity(clients, Settings(state=tmp_path))
    client = cognito.describe_user_pool_client(**client_ids)["UserPoolClient"]
    minutes = service().logins.token_minutes
    assert (client["IdTokenValidity"], client["AccessTokenValidity"]) == (minutes, minutes)
    policy = password_policy(cognito, identity)
    assert [policy[f"Require{kind}"] for kind in ("Lowercase", "Uppercase")] == [True, True]
    assert [policy[f"Require{kind}"] for kind in ("Numbers", "Symbols")] == [True, True]


def test_tokens_last_as_long_as_the_client_says(
    cognito: Any, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CognitoIdpUserPool, "create_jwt", CognitoIdpUserPool.create_jwt)
    moto_cognito.install()
    add_user(cognito, identity)
    tokens = log_in(cognito, identity)["AuthenticationResult"]
    seconds = 60 * service().logins.token_minutes
    assert tokens["ExpiresIn"] == seconds
    for token in (tokens["IdToken"], tokens["AccessToken"]):
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == seconds


def test_the_demos_passwords_fit_the_policy(cognito: Any, identity: Identity) -> None:
    user = {"UserPoolId": identity.user_pool_id, "Username": "demo"}
    cognito.admin_create_user(**user, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**user, Password=demo._new_password(), Permanent=True)
    assert cognito.admin_get_user(**user)["UserStatus"] == "CONFIRMED"


def password_policy(cognito: Any, identity: Identity) -> dict[str, Any]:
    pool = cognito.describe_user_pool(UserPoolId=identity.user_pool_id)["UserPool"]
    return dict(pool["Policies"]["PasswordPolicy"])
