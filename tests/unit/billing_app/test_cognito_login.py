"""Logins by Cognito: each outcome has its code, and nobody learns which usernames exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import boto3
import pytest
from botocore.stub import Stubber

from billing_app.adapters.cognito_login import CognitoLogin
from billing_app.domain.errors import Rejection, Unavailable
from billing_app.ports.identity import Credentials

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

PASSWORD = "Right-Passw0rd!"


class Pool:
    """A user pool with one resident, Ada."""

    def __init__(self, client: CognitoIdentityProviderClient) -> None:
        self.client = client
        self.pool_id = client.create_user_pool(PoolName="test")["UserPool"]["Id"]
        made = client.create_user_pool_client(
            UserPoolId=self.pool_id,
            ClientName="test",
            ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        )
        self.identity = CognitoLogin(client, client_id=made["UserPoolClient"]["ClientId"])
        self.subject = self.add("ada", permanent=True)

    def add(self, username: str, *, permanent: bool) -> UUID:
        user = self.client.admin_create_user(
            UserPoolId=self.pool_id, Username=username, TemporaryPassword=PASSWORD
        )["User"]
        if permanent:
            self.client.admin_set_user_password(
                UserPoolId=self.pool_id, Username=username, Password=PASSWORD, Permanent=True
            )
        return UUID(next(a["Value"] for a in user["Attributes"] if a["Name"] == "sub"))

    def rejection(self, username: str, password: str, new_password: str | None = None) -> Rejection:
        with pytest.raises(Rejection) as rejection:
            self.identity.sign_in(Credentials(username, password, new_password))
        return rejection.value


@pytest.fixture
def pool(aws: None) -> Pool:
    return Pool(boto3.client("cognito-idp"))


def test_the_right_password_gives_tokens_and_the_subject(pool: Pool) -> None:
    signed_in = pool.identity.sign_in(Credentials("ada", PASSWORD))
    assert signed_in.subject == pool.subject
    assert signed_in.tokens.id_token.count(".") == 2
    again = pool.identity.refresh(refresh_token=signed_in.tokens.refresh_token)
    assert again.subject == pool.subject
    assert again.tokens.refresh_token == signed_in.tokens.refresh_token


def test_an_unknown_user_and_a_wrong_password_can_not_be_told_apart(pool: Pool) -> None:
    wrong, unknown = pool.rejection("ada", "Wrong-Passw0rd!"), pool.rejection("nobody", PASSWORD)
    assert (wrong.code, wrong.message, wrong.data) == (unknown.code, unknown.message, unknown.data)
    assert wrong.code == "invalid_credentials"


def test_a_first_login_takes_a_new_password(pool: Pool) -> None:
    subject = pool.add("new", permanent=False)
    assert pool.rejection("new", PASSWORD).code == "new_password_required"
    assert pool.identity.sign_in(Credentials("new", PASSWORD, "N3w-Password!")).subject == subject
    assert pool.identity.sign_in(Credentials("new", "N3w-Password!")).subject == subject


def test_a_first_login_that_comes_back_finds_the_new_password_set(pool: Pool) -> None:
    subject, first = pool.add("new", permanent=False), Credentials("new", PASSWORD, "N3w-Password!")
    assert [pool.identity.sign_in(first).subject for _ in range(2)] == [subject] * 2
    assert pool.rejection("new", PASSWORD, "0ther-Password!").code == "invalid_credentials"


def test_a_new_password_that_nobody_demanded_is_not_said_to_be_set(pool: Pool) -> None:
    assert pool.rejection("ada", PASSWORD, "N3w-Password!").code == "new_password_not_needed"
    assert pool.identity.sign_in(Credentials("ada", PASSWORD)).subject == pool.subject


def test_a_bad_refresh_token_ends_the_session(pool: Pool) -> None:
    with pytest.raises(Rejection, match="session_expired"):
        pool.identity.refresh(refresh_token="not-one")


# What moto can't be brought to say is said by botocore's stubber, in Cognito's own shapes.
@pytest.mark.parametrize(
    ("error", "text", "code"),
    [
        ("UserNotConfirmedException", "", "account_not_confirmed"),
        ("PasswordResetRequiredException", "", "password_reset_required"),
        ("TooManyRequestsException", "", "login_throttled"),
        ("NotAuthorizedException", "Password attempts exceeded", "login_throttled"),
        ("NotAuthorizedException", "Incorrect username or password.", "invalid_credentials"),
        # Cognito says so to a wrong password, too.
        ("NotAuthorizedException", "User is disabled.", "invalid_credentials"),
        (
            "InvalidParameterException",
            "Value 'flow not enabled for this client' at 'x' failed",
            "invalid_credentials",
        ),
        ("UserNotFoundException", "User does not exist.", "invalid_credentials"),
        # A first password that was not used in time, as Cognito says it and as it used to.
        (
            "NotAuthorizedException",
            "Temporary password has expired and must be reset by an administrator.",
            "invitation_expired",
        ),
        (
            "NotAuthorizedException",
            "User account has expired, it must be reset by an administrator.",
            "invitation_expired",
        ),
    ],
)
def test_each_error_of_cognito_has_its_code(error: str, text: str, code: str) -> None:
    with pytest.raises(Rejection, match=code):
        _stubbed(error, text).sign_in(Credentials("ada", PASSWORD))


def test_whoever_holds_a_refresh_token_is_told_that_the_account_is_disabled() -> None:
    with pytest.raises(Rejection, match="account_disabled"):
        _stubbed("NotAuthorizedException", "User is disabled.").refresh(refresh_token="t")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client"),
        ("InvalidParameterException", "Initiate Auth method not supported."),
        (
            "NotAuthorizedException",
            "Client c is configured with secret but SECRET_HASH was not received",
        ),
        ("NotAuthorizedException", "Unable to verify secret hash for client c"),
        ("ResourceNotFoundException", "User pool client c does not exist."),
    ],
)
def test_a_pool_that_is_set_up_wrongly_is_not_the_residents_mistake(error: str, text: str) -> None:
    with pytest.raises(Unavailable, match=f"cognito: {error}"):
        _stubbed(error, text).sign_in(Credentials("ada", PASSWORD))


def test_trouble_of_cognito_itself_is_an_outage_without_its_text() -> None:
    with pytest.raises(Unavailable) as outage:
        _stubbed("InternalErrorException", "ada").sign_in(Credentials("ada", PASSWORD))
    assert str(outage.value) == "cognito: InternalErrorException"
    assert outage.value.__cause__ is None


def test_another_challenge_is_not_supported() -> None:
    answer = {"ChallengeName": "SMS_MFA", "Session": "s" * 20, "ChallengeParameters": {}}
    identity, stubber = _identity()
    stubber.add_response("initiate_auth", answer)
    with stubber, pytest.raises(Rejection, match="challenge_not_supported"):
        identity.sign_in(Credentials("ada", PASSWORD))


def _identity() -> tuple[CognitoLogin, Any]:
    client = boto3.client(
        "cognito-idp",
        region_name="eu-central-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    return CognitoLogin(client, client_id="client"), Stubber(client)


def _stubbed(error: str, text: str) -> CognitoLogin:
    identity, stubber = _identity()
    stubber.add_client_error("initiate_auth", error, text)
    stubber.activate()
    return identity
