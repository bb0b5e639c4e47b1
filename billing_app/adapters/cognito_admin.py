"""Logins of residents, kept in a Cognito user pool."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError

from billing_app.domain.errors import Rejection, Unavailable
from billing_app.ports.operator_ledger import Login, UserDirectory

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_cognito_idp.type_defs import AttributeTypeTypeDef

_REJECTIONS = {
    "InvalidPasswordException": "invalid_new_password",
    "InvalidParameterException": "login_invalid",
    "UserNotFoundException": "login_not_found",
    # Of an invitation: the user has chosen a password already.
    "UnsupportedUserStateException": "login_in_use",
}


class _Create(TypedDict):
    """How the first password comes to the user: by hand, or in a mail of Cognito's."""

    TemporaryPassword: NotRequired[str]
    MessageAction: NotRequired[Literal["SUPPRESS"]]
    DesiredDeliveryMediums: NotRequired[list[Literal["EMAIL"]]]


class CognitoUserDirectory(UserDirectory):
    """Makes and changes the users of one pool."""

    def __init__(self, client: CognitoIdentityProviderClient, *, user_pool_id: str) -> None:
        self._client = client
        self._pool = user_pool_id

    def find(self, *, username: str) -> Login | None:
        """Look a user up."""
        try:
            with _translated():
                user = self._client.admin_get_user(UserPoolId=self._pool, Username=username)
        except Rejection as rejection:
            if rejection.code == "login_not_found":
                return None
            raise
        return Login(
            username=user["Username"],
            subject=_subject(user["UserAttributes"]),
            enabled=user["Enabled"],
            fresh=user["UserStatus"] == "FORCE_CHANGE_PASSWORD",
            email=_attribute(user["UserAttributes"], "email"),
        )

    def create(self, *, username: str, email: str | None, password: str | None) -> Login:
        """Make a user; one whom somebody else made meanwhile is taken as they are."""
        try:
            return self._create(username, email, password)
        except self._client.exceptions.UsernameExistsException:
            login = self.find(username=username)
            if login is None:
                raise Unavailable("a user who exists could not be read") from None
            return login

    def set_password(self, *, username: str, password: str, permanent: bool) -> None:
        """Set a password."""
        with _translated():
            self._client.admin_set_user_password(
                UserPoolId=self._pool, Username=username, Password=password, Permanent=permanent
            )

    def invite(self, *, username: str) -> None:
        """Mail a new temporary password."""
        with _translated():
            self._client.admin_create_user(
                UserPoolId=self._pool,
                Username=username,
                MessageAction="RESEND",
                DesiredDeliveryMediums=["EMAIL"],
            )

    def disable(self, *, username: str) -> None:
        """Let a user log in no more, then end the sessions there are."""
        with _translated():
            self._client.admin_disable_user(UserPoolId=self._pool, Username=username)
            self._client.admin_user_global_sign_out(UserPoolId=self._pool, Username=username)

    def _create(self, username: str, email: str | None, password: str | None) -> Login:
        attributes: list[AttributeTypeTypeDef] = []
        if email:
            # An operator vouches for the address, else a forgotten password can't be mailed.
            attributes = [
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
            ]
        with _translated():
            answer = self._client.admin_create_user(
                UserPoolId=self._pool,
                Username=username,
                UserAttributes=attributes,
                **_delivery(password),
            )
        user = answer["User"]
        subject = _subject(user["Attributes"])
        return Login(user["Username"], subject, enabled=True, fresh=True, email=email)


def _delivery(password: str | None) -> _Create:
    if password:
        return {"TemporaryPassword": password, "MessageAction": "SUPPRESS"}
    # By default it is an SMS, which reaches nobody here.
    return {"DesiredDeliveryMediums": ["EMAIL"]}


def _subject(attributes: Sequence[AttributeTypeTypeDef]) -> UUID:
    return UUID(_attribute(attributes, "sub"))


def _attribute(attributes: Sequence[AttributeTypeTypeDef], name: str) -> str | None:
    return next((one["Value"] for one in attributes if one["Name"] == name), None)


@contextmanager
def _translated() -> Iterator[None]:
    """Tell rejections from outages; neither carries Cognito's own text, which may hold values."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "UsernameExistsException":
            raise
        if code in _REJECTIONS:
            raise Rejection(_REJECTIONS[code]) from None
        raise Unavailable(f"the user pool answered {code}") from error
    except BotoCoreError as error:
        raise Unavailable(f"the user pool did not answer: {type(error).__name__}") from error
