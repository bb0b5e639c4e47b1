"""What each operation takes. The gateway checks the same, but is no trust boundary for shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from billing_app.domain.errors import Rejection
from billing_app.domain.limits import MAX_BILLS, MAX_TOTAL_MINOR


class _Body(Schema):
    class Meta:
        unknown = RAISE

    queue_name = fields.UUID(required=True)


class Auth(_Body):
    """A password, with a new one where that is demanded, or a refresh token."""

    username = fields.String(validate=validate.Length(min=1, max=128))
    password = fields.String(validate=validate.Length(min=1, max=256))
    new_password = fields.String(validate=validate.Length(min=1, max=256))
    refresh_token = fields.String(validate=validate.Length(min=1, max=8_192))

    @validates_schema
    def one_way_in(self, data: dict[str, Any], **_: Any) -> None:
        """Take either credentials or a refresh token."""
        ways = {"username", "password", "refresh_token", "new_password"} & set(data)
        if ways not in (
            {"username", "password"},
            {"username", "password", "new_password"},
            {"refresh_token"},
        ):
            raise ValidationError("send username and password, or refresh_token", "_body")


class Utils(_Body):
    """Nothing but where the answer goes."""


class Payments(_Body):
    """The bills to pay, and what the resident was shown that they cost."""

    bills_id = fields.List(
        fields.UUID(), required=True, validate=validate.Length(min=1, max=MAX_BILLS)
    )
    expected_total_minor = fields.Integer(
        strict=True, allow_none=True, validate=validate.Range(min=1, max=MAX_TOTAL_MINOR)
    )


class Histories(_Body):
    """What the client holds: a frame as it was handed out, or a cursor."""

    date_up = fields.String(required=True, allow_none=True, validate=validate.Length(max=40))
    date_down = fields.String(required=True, allow_none=True, validate=validate.Length(max=40))
    cursor = fields.String(allow_none=True, validate=validate.Length(max=400))


def validated(schema: type[Schema], body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body's fields in their types.

    Raises:
        Rejection: `invalid_request`, naming the fields at fault, never their values.
    """
    try:
        loaded: dict[str, Any] = schema().load(body)
    except ValidationError as error:
        raise Rejection("invalid_request", data={"fields": sorted(_names(error))}) from None
    return loaded


def _names(error: ValidationError) -> set[str]:
    """Name the known fields at fault; a name that the client made up is not repeated."""
    messages: dict[Any, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
    known = {"queue_name", *_FIELD_NAMES}
    return {str(name) if name in known else "_body" for name in messages}


_FIELD_NAMES = {
    name for schema in (Auth, Utils, Payments, Histories) for name in schema().declared_fields
}
