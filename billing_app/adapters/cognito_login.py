"""Logins by Amazon Cognito."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError

from billing_app.domain.errors import Rejection, Unavailable
from billing_app.ports.identity import Credentials, SignedIn, Tokens

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

# Errors of InitiateAuth and RespondToAuthChallenge that are the caller's:
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html
_CODES: Mapping[str, str] = {
    "NotAuthorizedException": "invalid_credentials",
    "UserNotFoundException": "invalid_credentials",
    "UserNotConfirmedException": "account_not_confirmed",
    "PasswordResetRequiredException": "password_reset_required",
    "InvalidPasswordException": "invalid_new_password",
    "PasswordHistoryPolicyViolationException": "invalid_new_password",
    "TooManyRequestsException": "login_throttled",
    "LimitExceededException": "login_throttled",
    "TooManyFailedAttemptsException": "login_throttled",
    # Cognito rejects names and passwords that break its patterns before it looks at the user.
    "InvalidParameterException": "invalid_credentials",
}

# How texts end when the pool's client is set up wrongly, so that nobody can log in. Only an end is
# compared: a value of the caller is never quoted there.
_SET_UP_WRONGLY = re.compile(
    r"(flow not enabled for this client|auth method not supported|secret_hash was not received"
    r"|secret hash for client \S+)\.?$",
    re.IGNORECASE,
)

Json = Mapping[str, Any]


class CognitoLogin:
    """`IdentityProvider` of one user pool client."""

    def __init__(self, client: CognitoIdentityProviderClient, *, client_id: str) -> None:
        self._client = client
        self._client_id = client_id

    def sign_in(self, credentials: Credentials) -> SignedIn:
        """Log in with a password, answering the demand for a new one if there is a new one."""
        username, new_password = credentials.username, credentials.new_password
        try:
            answer = self._initiate(username, credentials.password)
        except Rejection as rejection:
            if new_password is None or rejection.code != "invalid_credentials":
                raise
            # The same request may have set the new password already, and its reply got lost.
            return self._sign_in_again(username, new_password)
        if answer.get("ChallengeName"):
            return _signed_in(self._answer_challenge(answer, credentials))
        if new_password is not None:
            # Nothing was changed, and whoever wanted to be rid of an old password must know.
            raise Rejection("new_password_not_needed")
        return _signed_in(answer)

    def refresh(self, *, refresh_token: str) -> SignedIn:
        """Trade a refresh token for new tokens."""
        try:
            answer = _call(
                lambda: self._client.initiate_auth(
                    ClientId=self._client_id,
                    AuthFlow="REFRESH_TOKEN_AUTH",
                    AuthParameters={"REFRESH_TOKEN": refresh_token},
                )
            )
        except Rejection as rejection:
            if rejection.code == "invalid_credentials":
                raise Rejection("session_expired") from rejection
            raise
        return _signed_in(answer, refresh_token=refresh_token)

    def _initiate(self, username: str, password: str) -> Json:
        try:
            return _call(
                lambda: self._client.initiate_auth(
                    ClientId=self._client_id,
                    AuthFlow="USER_PASSWORD_AUTH",
                    AuthParameters={"USERNAME": username, "PASSWORD": password},
                )
            )
        except Rejection as rejection:
            # Cognito says so whatever the password is, which tells anybody that the name exists.
            if rejection.code == "account_disabled":
                raise Rejection("invalid_credentials") from rejection
            raise

    def _sign_in_again(self, username: str, password: str) -> SignedIn:
        answer = self._initiate(username, password)
        if answer.get("ChallengeName"):
            raise Rejection("invalid_credentials")
        return _signed_in(answer)

    def _answer_challenge(self, answer: Json, credentials: Credentials) -> Json:
        if answer["ChallengeName"] != "NEW_PASSWORD_REQUIRED":
            raise Rejection("challenge_not_supported")
        new_password = credentials.new_password
        if new_password is None:
            raise Rejection("new_password_required")
        answer = _call(
            lambda: self._client.respond_to_auth_challenge(
                ClientId=self._client_id,
                ChallengeName="NEW_PASSWORD_REQUIRED",
                Session=answer["Session"],
                ChallengeResponses={
                    "USERNAME": credentials.username,
                    "NEW_PASSWORD": new_password,
                },
            )
        )
        if answer.get("ChallengeName"):
            raise Rejection("challenge_not_supported")
        return answer


def _call(request: Callable[[], Any]) -> Json:
    try:
        answer: Json = request()
        return answer
    except ClientError as error:
        # The cause is dropped on purpose: a parameter error of Cognito quotes the value.
        raise _translate(error) from None
    except BotoCoreError as error:
        raise Unavailable(f"cognito: {type(error).__name__}") from None


def _translate(error: ClientError) -> Exception:
    name = error.response["Error"]["Code"]
    text = error.response["Error"].get("Message", "")
    if _SET_UP_WRONGLY.search(text):
        return Unavailable(f"cognito: {name}, the pool's client is set up wrongly")
    # Cognito tells these only by their text.
    if name == "NotAuthorizedException" and "disabled" in text:
        return Rejection("account_disabled")
    if name == "NotAuthorizedException" and "attempts exceeded" in text:
        return Rejection("login_throttled")
    # "Temporary password has expired and must be ...", "User account has expired, it must be ...".
    if name == "NotAuthorizedException" and "must be reset by an administrator" in text:
        return Rejection("invitation_expired")
    if name in _CODES:
        return Rejection(_CODES[name])
    return Unavailable(f"cognito: {name}")


def _signed_in(answer: Json, *, refresh_token: str = "") -> SignedIn:
    result = answer["AuthenticationResult"]
    return SignedIn(
        subject=_subject(result["IdToken"]),
        tokens=Tokens(
            id_token=result["IdToken"],
            access_token=result["AccessToken"],
            refresh_token=result.get("RefreshToken", refresh_token),
            expires_in_seconds=result["ExpiresIn"],
        ),
    )


def _subject(id_token: str) -> UUID:
    """Read `sub` of a token that came from Cognito itself over TLS, so needs no verifying."""
    payload = id_token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return UUID(claims["sub"])
