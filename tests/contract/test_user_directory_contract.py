"""What holds for every `Directory`: the fake and Cognito (as moto has it) alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import ANY, Stubber

from billing_app.adapters.cognito_admin import CognitoUserDirectory
from billing_app.domain.errors import Rejection, Unavailable
from billing_app.ports.operator_ledger import UserDirectory
from tests.support.fakes import FakeUserDirectory
from tests.support.sockets import listening
from tools.local import moto_cognito

PASSWORD = "Correct-Horse-9"
POLICY: Any = {"MinimumLength": 10, "RequireUppercase": True, "RequireNumbers": True}


@pytest.fixture(params=["fake", "cognito"])
def directory(request: pytest.FixtureRequest, aws: None) -> UserDirectory:
    return FakeUserDirectory() if request.param == "fake" else _cognito()


def _cognito() -> CognitoUserDirectory:
    moto_cognito.install()
    client = boto3.client("cognito-idp", region_name="eu-central-1")
    pool = client.create_user_pool(PoolName="p", Policies={"PasswordPolicy": POLICY})
    return CognitoUserDirectory(client, user_pool_id=pool["UserPool"]["Id"])


def code_of(act: Callable[..., Any], **kwargs: Any) -> str:
    with pytest.raises(Rejection) as caught:
        act(**kwargs)
    return caught.value.code


def test_a_new_login_is_found_and_exists_from_then_on(directory: UserDirectory) -> None:
    assert directory.find(username="anna") is None
    made = directory.create(username="anna", email="anna@example.org", password=None)
    assert directory.find(username="anna") == made
    assert (made.enabled, made.fresh) == (True, True)
    assert directory.create(username="anna", email=None, password=PASSWORD).subject == made.subject


def test_a_permanent_password_makes_a_login_used(directory: UserDirectory) -> None:
    directory.create(username="anna", email=None, password=PASSWORD)
    directory.set_password(username="anna", password=PASSWORD + "!", permanent=True)
    found = directory.find(username="anna")
    assert found is not None
    assert not found.fresh
    poor = code_of(directory.set_password, username="anna", password="poor", permanent=True)
    assert poor == "invalid_new_password"


def test_a_fresh_login_is_invited_again_and_stays_the_same(directory: UserDirectory) -> None:
    made = directory.create(username="anna", email="anna@example.org", password=None)
    directory.invite(username="anna")
    assert directory.find(username="anna") == made
    directory.set_password(username="anna", password=PASSWORD, permanent=True)
    assert code_of(directory.invite, username="anna") == "login_in_use"
    assert code_of(directory.invite, username="nobody") == "login_not_found"


def test_a_disabled_login_says_so(directory: UserDirectory) -> None:
    directory.create(username="anna", email=None, password=PASSWORD)
    for _ in range(2):
        directory.disable(username="anna")
        found = directory.find(username="anna")
        assert found is not None
        assert not found.enabled
    assert code_of(directory.disable, username="nobody") == "login_not_found"


@pytest.fixture
def cognito(aws: None) -> CognitoUserDirectory:
    return _cognito()


def test_a_disabled_login_loses_its_sessions(cognito: CognitoUserDirectory) -> None:
    """Also those that somebody else has opened: they don't come back with the login."""
    client, pool = cognito._client, cognito._pool
    made = client.create_user_pool_client(UserPoolId=pool, ClientName="c")["UserPoolClient"]
    cognito.create(username="anna", email=None, password=PASSWORD)
    cognito.set_password(username="anna", password=PASSWORD, permanent=True)
    opened = client.initiate_auth(
        ClientId=made["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "anna", "PASSWORD": PASSWORD},
    )
    cognito.disable(username="anna")
    client.admin_enable_user(UserPoolId=pool, Username="anna")
    with pytest.raises(client.exceptions.NotAuthorizedException):
        client.initiate_auth(
            ClientId=made["ClientId"],
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": opened["AuthenticationResult"]["RefreshToken"]},
        )


def test_an_operator_vouches_for_the_address_of_a_login(cognito: CognitoUserDirectory) -> None:
    """Else Cognito sends nothing there."""
    cognito.create(username="anna", email="anna@example.org", password=None)
    user = cognito._client.admin_get_user(UserPoolId=cognito._pool, Username="anna")
    attributes = {one["Name"]: one.get("Value") for one in user["UserAttributes"]}
    assert attributes["email_verified"] == "true"


def test_invitations_go_by_mail_and_never_by_sms() -> None:
    keys = dict.fromkeys(("aws_access_key_id", "aws_secret_access_key"), "test")
    # boto3 is not typed for options in a dictionary.
    client = boto3.client("cognito-idp", region_name="eu-central-1", **keys)  # type: ignore[call-overload]
    sent = {"UserPoolId": "pool_x", "Username": "anna", "DesiredDeliveryMediums": ["EMAIL"]}
    attributes = [{"Name": "sub", "Value": "11111111-2222-4333-8444-555555555555"}]
    user = {"User": {"Username": "anna", "Attributes": attributes}}
    with Stubber(client) as stubber:
        for more in ({"MessageAction": "RESEND"}, {"UserAttributes": ANY}):
            stubber.add_response("admin_create_user", user, {**sent, **more})
        directory = CognitoUserDirectory(client, user_pool_id="pool_x")
        directory.invite(username="anna")
        directory.create(username="anna", email="anna@example.org", password=None)
        stubber.assert_no_pending_responses()


def test_an_outage_of_cognito_is_told_apart() -> None:
    with listening() as closed:
        pass
    client = boto3.client(
        "cognito-idp",
        region_name="eu-central-1",
        endpoint_url=f"http://127.0.0.1:{closed.port}",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=1),
    )
    with pytest.raises(Unavailable):
        CognitoUserDirectory(client, user_pool_id="eu-central-1_x").find(username="anna")
