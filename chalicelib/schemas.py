"""What holds for the body of every operation, and how a body is read.

The gateway checks the same, but is no trust boundary for shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields

from billing_app.domain.errors import Rejection


class RequestBody(Schema):
    """Says where the answer goes; an operation adds what else it takes."""

    class Meta:  # noqa: D106 - marshmallow reads it
        unknown = RAISE

    queue_name = fields.UUID(required=True)


def validated(schema: type[Schema], body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body's fields in their types.

    Raises:
        Rejection: `invalid_request`, naming the fields at fault, never their values.
    """
    try:
        loaded: dict[str, Any] = schema().load(body)
    except ValidationError as error:
        raise Rejection("invalid_request", data={"fields": sorted(_names(error, schema))}) from None
    return loaded


def _names(error: ValidationError, schema: type[Schema]) -> set[str]:
    """Name the known fields at fault; a name that the client made up is not repeated."""
    messages: dict[Any, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
    known = schema().declared_fields
    return {str(name) if name in known else "_body" for name in messages}
