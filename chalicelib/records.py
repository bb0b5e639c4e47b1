"""From an SQS record to a request.

What the gateway vouches for (request id, `sub`, apartment) comes in message attributes. The body is
the client's and says nothing about who they are. The gateway checks its shape, but is no trust
boundary for it, so it is validated again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from marshmallow import RAISE, Schema, ValidationError
from marshmallow import fields as schema_fields

from billing_app.domain.errors import Rejection

_QUEUE_NAME = re.compile(r'"queue_name"\s*:\s*"([0-9A-Fa-f-]{32,36})"')
_KEY = re.compile(r"[\x20-\x7e]{1,200}")


class Undeliverable(Exception):
    """A record that can't be answered: it doesn't say where the answer goes."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a user. `fields` is the body, a JSON object not validated yet."""

    request_id: str
    subject: UUID | None
    apartment_text: str
    idempotency_text: str | None
    queue_name: UUID
    fields: Mapping[str, Any] = field(repr=False)
    requested_at: datetime
    receive_count: int
    receipt_handle: str = field(repr=False)

    @property
    def caller(self) -> UUID:
        """The verified `sub`; present on every operation but login."""
        if self.subject is None:
            raise Undeliverable("no subject")
        return self.subject


def apartment_of(request: Request) -> UUID:
    """Read the apartment in the path; text that is no UUID names no apartment of anybody.

    Raises:
        Rejection: `apartment_not_found`.
    """
    try:
        return UUID(request.apartment_text)
    except ValueError as error:
        raise Rejection("apartment_not_found") from error


def idempotency_key_of(request: Request) -> str:
    """Read the client's key, by default the request's id: a redelivery pays once in any case.

    Raises:
        Rejection: `invalid_idempotency_key`.
    """
    key = request.idempotency_text
    if key is None:
        return request.request_id
    if _KEY.fullmatch(key) is None:
        raise Rejection("invalid_idempotency_key")
    return key


def read_record(record: Mapping[str, Any], *, needs_subject: bool = True) -> Request:
    """Read a record of an SQS event.

    Raises:
        Undeliverable: it names no request or no reply queue, or no user where one is needed.
    """
    attributes = record.get("messageAttributes", {})
    fields = _read_body(record["body"])
    subject = _attribute(attributes, "subject")
    if subject is None and needs_subject:
        raise Undeliverable("no subject")
    return Request(
        request_id=_required(attributes, "request_id"),
        subject=None if subject is None else _uuid(subject),
        apartment_text=_attribute(attributes, "apartment_id") or "",
        idempotency_text=_attribute(attributes, "idempotency_key"),
        queue_name=_uuid(fields.get("queue_name")),
        fields=fields,
        requested_at=_requested_at(record),
        receive_count=int(record["attributes"]["ApproximateReceiveCount"]),
        receipt_handle=record["receiptHandle"],
    )


def _requested_at(record: Mapping[str, Any]) -> datetime:
    """Read when the gateway took the request, as far as it says, else when SQS did."""
    told = _attribute(record.get("messageAttributes", {}), "requested_at")
    try:
        milliseconds = int(told or record["attributes"]["SentTimestamp"])
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise Undeliverable("no time of request") from None


def _read_body(body: str) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return _unreadable(body)
    if not isinstance(fields, dict):
        raise Undeliverable("body is not an object")
    return fields


def _unreadable(body: str) -> Mapping[str, Any]:
    """Read no more than where the answer goes, so that the rest is rejected and no dead letter.

    The gateway's parser takes numbers and depths that ours does not.
    """
    named = _QUEUE_NAME.findall(body)
    if not named:
        raise Undeliverable("body is not JSON")
    return {"queue_name": named[-1], "": None}


def _attribute(attributes: Mapping[str, Any], name: str) -> str | None:
    value = attributes.get(name, {}).get("stringValue")
    return value if isinstance(value, str) else None


def _required(attributes: Mapping[str, Any], name: str) -> str:
    value = _attribute(attributes, name)
    if value is None:
        raise Undeliverable(f"no {name}")
    return value


def _uuid(value: Any) -> UUID:
    if not isinstance(value, str):
        raise Undeliverable("no reply queue")
    try:
        return UUID(value)
    except ValueError:
        raise Undeliverable("no reply queue") from None


class RequestBody(Schema):
    """Says where the answer goes; an operation adds what else it takes."""

    class Meta:  # noqa: D106 - marshmallow reads it
        unknown = RAISE

    queue_name = schema_fields.UUID(required=True)


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
    # marshmallow leaves this method without types.
    messages: dict[Any, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]  # untyped
    known = schema().declared_fields
    return {str(name) if name in known else "_body" for name in messages}
