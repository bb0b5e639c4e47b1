"""The JSON events that operators send, one schema each; unknown fields are rejected."""

import unicodedata
from collections.abc import Collection
from typing import Any

from marshmallow import (
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
    validates,
    validates_schema,
)

from billing_app.domain.bill_lines import (
    BillLine,
    CellError,
    read_provider_id,
    read_utility,
)
from billing_app.domain.currencies import EXPONENT_OF
from billing_app.domain.limits import (
    MAX_ADDRESS_CHARS,
    MAX_AMOUNT_MINOR,
    MAX_NAME_CHARS,
    MAX_REFERENCE_CHARS,
    MAX_USERNAME_CHARS,
)

MAX_LINES = 1000


def _without_controls(text: str) -> None:
    if any(unicodedata.category(one) in {"Cc", "Cs", "Zl", "Zp"} for one in text):
        raise ValidationError("control characters can't stand here")


def _reason(text: str) -> None:
    # One of nothing but spaces and line breaks is no reason, and has a code of its own.
    _without_controls(text.strip())


def _plain(text: str) -> None:
    _without_controls(text)
    if not text.strip():
        raise ValidationError("empty")


def _utility(text: str) -> None:
    try:
        read_utility(text)
    except CellError as error:
        raise ValidationError(error.code) from error


def _provider_id(text: str) -> None:
    try:
        read_provider_id(text)
    except CellError as error:
        raise ValidationError(error.code) from error


def _text(maximum: int = MAX_NAME_CHARS, **kwargs: Any) -> fields.String:
    return fields.String(validate=[validate.Length(max=maximum), _plain], **kwargs)


class OperationEvent(Schema):
    """Which of a function's operations to do, and the event of that."""

    operation = fields.String(required=True)
    arguments = fields.Dict(keys=fields.String(), required=True)

    def __init__(self, operations: Collection[str]) -> None:
        super().__init__()
        self._operations = operations

    @validates("operation")
    def known(self, operation: str, **_: Any) -> None:
        """Take the operations of this function only."""
        if operation not in self._operations:
            raise ValidationError("no operation of this function")


class AddResident(Schema):
    """Login, row, and an apartment that exists (`apartment_id`) or is new (`address`)."""

    username = _text(MAX_USERNAME_CHARS, required=True)
    name = _text(required=True)
    email = fields.Email(load_default=None, allow_none=True)
    password = fields.String(
        load_default=None, allow_none=True, load_only=True, validate=validate.Length(1, 256)
    )
    permanent = fields.Boolean(load_default=False)
    apartment_id = fields.UUID(load_default=None, allow_none=True)
    address = _text(MAX_ADDRESS_CHARS, load_default=None, allow_none=True)
    since = fields.AwareDateTime(load_default=None, allow_none=True)

    @validates_schema
    def one_apartment(self, data: dict[str, Any], **_: Any) -> None:
        """Tell whether the apartment exists or is new."""
        if data["apartment_id"] and data["address"]:
            raise ValidationError("give either apartment_id or address", "address")


class AddApartment(Schema):
    """An apartment; its id is made unless it is given."""

    address = _text(MAX_ADDRESS_CHARS, required=True)
    apartment_id = fields.UUID(load_default=None, allow_none=True)


class Residency(Schema):
    """Who and which apartment."""

    username = _text(MAX_USERNAME_CHARS, required=True)
    apartment_id = fields.UUID(required=True)


class GrantResidency(Residency):
    """From `since` on the resident sees what was posted; from now on, without it."""

    since = fields.AwareDateTime(load_default=None, allow_none=True)


class Username(Schema):
    """Whose login."""

    username = _text(MAX_USERNAME_CHARS, required=True)


class AddProvider(Schema):
    """A provider and its name for people."""

    provider_id = fields.String(required=True, validate=_provider_id)
    name = _text(required=True)


class VoidBill(Schema):
    """A bill to withdraw; an empty reason has a code of its own and passes here."""

    bill_id = fields.UUID(required=True)
    reason = fields.String(required=True, validate=_reason)
    operator = _text(required=True)


class ReversePayment(Schema):
    """A payment to undo."""

    payment_id = fields.UUID(required=True)
    reason = fields.String(required=True, validate=_reason)
    operator = _text(required=True)


class Reconcile(Schema):
    """The days to compare (UTC), both included; without them the last thirty-one."""

    first_day = fields.Date(data_key="from", load_default=None, allow_none=True)
    last_day = fields.Date(data_key="to", load_default=None, allow_none=True)


class IssuedLine(Schema):
    """A line that was read elsewhere already; the amount is in minor units."""

    line = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    apartment_id = fields.UUID(required=True)
    utility = fields.String(required=True, validate=_utility)
    provider_id = fields.String(required=True, validate=_provider_id)
    provider_reference = _text(MAX_REFERENCE_CHARS, required=True)
    period_from = fields.Date(required=True)
    period_to = fields.Date(required=True)
    due_on = fields.Date(required=True)
    amount_minor = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, MAX_AMOUNT_MINOR)
    )
    currency = fields.String(required=True, validate=validate.OneOf(list(EXPONENT_OF)))

    @validates_schema
    def period_runs_forward(self, data: dict[str, Any], **_: Any) -> None:
        """Compare the ends of the period."""
        if data["period_to"] < data["period_from"]:
            raise ValidationError("before period_from", "period_to")

    @post_load
    def to_bill_line(self, data: dict[str, Any], **_: Any) -> BillLine:
        """Put the fields together."""
        return BillLine(**data)


class ImportBills(Schema):
    """A file as `text`, or a batch of `lines` that were read elsewhere; one of the two."""

    file_name = _text(load_default="bills.csv")
    dry_run = fields.Boolean(load_default=False)
    text = fields.String(load_default=None, allow_none=True)
    delimiter = fields.String(load_default=None, allow_none=True)
    import_id = fields.UUID(load_default=None, allow_none=True)
    sha256 = fields.String(
        load_default=None, allow_none=True, validate=validate.Regexp(r"\A[0-9a-f]{64}\Z")
    )
    lines = fields.List(
        fields.Nested(IssuedLine), load_default=None, validate=validate.Length(1, MAX_LINES)
    )

    @validates_schema
    def one_form(self, data: dict[str, Any], **_: Any) -> None:
        """Tell the two forms apart."""
        if (data["text"] is None) == (data["lines"] is None):
            raise ValidationError("give either text or lines", "text")
        if data["lines"] and not (data["import_id"] and data["sha256"]):
            raise ValidationError("lines come with import_id and sha256", "lines")
