"""The operations of residents, each declared once: what it takes, does and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from billing_app.domain.limits import MAX_BILLS, MAX_TOTAL_MINOR
from billing_app.ports.clock import Clock
from billing_app.ports.identity import Credentials, IdentityProvider
from billing_app.ports.ledger import ApartmentReader, Ledger, PaymentOrder
from billing_app.use_cases.debts import show_debts
from billing_app.use_cases.history import HistorySync
from billing_app.use_cases.login import log_in, refresh_session
from chalicelib.cursors import read_cursor, read_frame
from chalicelib.records import Request, RequestBody, apartment_of, idempotency_key_of, validated
from chalicelib.replies import debts_parts, history_parts, receipt_parts, session_parts

Body = Mapping[str, Any]

RANDOM_UUID = 4
# Of the contract, so that anybody may know it.
EXAMPLE_QUEUE_NAME = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")

# A payment that waited longer, at the client, in an outage or among the dead letters, is not made
# any more. GOV.UK Pay's payments expire after the same time.
PAYMENT_LIFETIME = timedelta(minutes=90)


class Dependencies(Protocol):
    """What the operations work with; a function makes only what its own operation uses."""

    @property
    def ledger(self) -> Ledger:
        """The ledger."""

    @property
    def reader(self) -> ApartmentReader:
        """The ledger behind a cache."""

    @property
    def identity(self) -> IdentityProvider:
        """Logins."""

    @property
    def clock(self) -> Clock:
        """The time."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What there is to know of an operation; sizes and timeouts are in terraform/service.json.

    Args:
        work: Does what a request with a valid body asks for and returns its data in parts, each
            JSON. Raises Rejection or Unavailable.
        done_message: What the user reads when it was done.
        reply_retention: How long the answer waits for the user.
        needs_subject: The user is logged in, and the answer is for their `sub` alone.
        dead_letters: A request that can't be done goes to a dead-letter queue.
        unknown_outcome: The code of a failure when the work may have been done.
    """

    name: str
    schema: type[Schema]
    work: Callable[[Request, Body, Dependencies], list[str]]
    done_message: str
    reply_retention: timedelta = timedelta(minutes=15)
    needs_subject: bool = True
    dead_letters: bool = True
    unknown_outcome: str | None = None

    def run(self, request: Request, dependencies: Dependencies) -> list[str]:
        """Validate the body, do the work and return its data in parts, each JSON.

        Raises:
            Rejection: the request can't be done.
            Unavailable: a part that the work needs does not answer.
        """
        return self.work(request, validated(self.schema, request.fields), dependencies)


def _check_secret(queue_name: UUID) -> None:
    if queue_name.version != RANDOM_UUID or queue_name == EXAMPLE_QUEUE_NAME:
        raise ValidationError("make a random UUID")


class Auth(RequestBody):
    """A password, with a new one where that is demanded, or a refresh token."""

    # Nothing else keeps others from the tokens.
    queue_name = fields.UUID(required=True, validate=_check_secret)
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


def _auth(_request: Request, body: Body, needs: Dependencies) -> list[str]:
    if "refresh_token" in body:
        token = body["refresh_token"]
        session = refresh_session(identity=needs.identity, ledger=needs.ledger, refresh_token=token)
    else:
        credentials = Credentials(body["username"], body["password"], body.get("new_password"))
        session = log_in(identity=needs.identity, ledger=needs.ledger, credentials=credentials)
    return session_parts(session)


class Utils(RequestBody):
    """Nothing but where the answer goes."""


def _utils(request: Request, _body: Body, needs: Dependencies) -> list[str]:
    found = show_debts(
        reader=needs.reader,
        clock=needs.clock,
        calendar=needs.ledger.day_of,
        subject=request.caller,
        apartment_id=apartment_of(request),
    )
    return debts_parts(found)


class Histories(RequestBody):
    """What the client holds: a frame as it was handed out, or a cursor."""

    date_up = fields.String(required=True, allow_none=True, validate=validate.Length(max=40))
    date_down = fields.String(required=True, allow_none=True, validate=validate.Length(max=40))
    cursor = fields.String(allow_none=True, validate=validate.Length(max=400))


def _histories(request: Request, body: Body, needs: Dependencies) -> list[str]:
    apartment_id = apartment_of(request)
    start = read_frame(date_down=body["date_down"], date_up=body["date_up"])
    if body.get("cursor") is not None:
        start = read_cursor(body["cursor"], apartment_id=apartment_id)
    return history_parts(HistorySync(needs.reader, request.caller, apartment_id).update(start))


class Payments(RequestBody):
    """The bills to pay, what the resident was shown that they cost, and when they decided."""

    bills_id = fields.List(
        fields.UUID(), required=True, validate=validate.Length(min=1, max=MAX_BILLS)
    )
    expected_total_minor = fields.Integer(
        strict=True, allow_none=True, validate=validate.Range(min=1, max=MAX_TOTAL_MINOR)
    )
    asked_seconds_ago = fields.Integer(
        strict=True, load_default=0, validate=validate.Range(min=0, max=2**31 - 1)
    )


def _payments(request: Request, body: Body, needs: Dependencies) -> list[str]:
    # The clocks of the gateway and of the function may differ a little.
    waited = max(needs.clock() - request.requested_at, timedelta(0))
    asked = timedelta(seconds=body["asked_seconds_ago"])
    order = PaymentOrder(
        subject=request.caller,
        request_key=idempotency_key_of(request),
        apartment_id=apartment_of(request),
        bills=tuple(body["bills_id"]),
        expected_total_minor=body.get("expected_total_minor"),
        is_stale=asked + waited > PAYMENT_LIFETIME,
        requested_at=request.requested_at,
    )
    return receipt_parts(needs.ledger.pay(order))


_OPERATIONS = (
    Operation(
        name="auth",
        schema=Auth,
        work=_auth,
        done_message="Logged in.",
        # The answer holds tokens, and the request a password, which must not rest anywhere.
        reply_retention=timedelta(minutes=5),
        needs_subject=False,
        dead_letters=False,
    ),
    Operation(
        name="utils",
        schema=Utils,
        work=_utils,
        done_message="These are the current debts.",
    ),
    Operation(
        name="histories",
        schema=Histories,
        work=_histories,
        done_message="This is what was settled since.",
    ),
    Operation(
        name="payments",
        schema=Payments,
        work=_payments,
        done_message="Paid.",
        # An earlier receive may have paid and lost the connection in COMMIT: never say "failed".
        unknown_outcome="payment_outcome_unknown",
    ),
)
OPERATIONS: Mapping[str, Operation] = {one.name: one for one in _OPERATIONS}
