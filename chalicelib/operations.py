"""The operations of residents, each declared once: what it takes, does and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from marshmallow import Schema

from billing_app.domain.history import frame_from
from billing_app.ports.cache import ResultCache
from billing_app.ports.clock import Clock
from billing_app.ports.identity import Credentials, IdentityProvider
from billing_app.ports.ledger import Ledger, PaymentOrder
from billing_app.use_cases.debts import show_debts
from billing_app.use_cases.history import sync_history
from billing_app.use_cases.login import log_in, refresh_session
from billing_app.use_cases.payments import pay_bills, receipt_parts
from chalicelib import schemas
from chalicelib.records import Request, apartment_of, idempotency_key_of

Body = Mapping[str, Any]
Parts = list[dict[str, Any]]


class Dependencies(Protocol):
    """What the operations work with; a function makes only what its own operation uses."""

    @property
    def ledger(self) -> Ledger:
        """The ledger."""

    @property
    def cache(self) -> ResultCache:
        """Computed results."""

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
        work: Does what a request with a valid body asks for and returns the parts of its data.
            Raises Rejection or Unavailable.
        done_message: What the user reads when it was done.
        reply_retention: How long the answer waits for the user.
        needs_subject: The user is logged in, and the answer is for their `sub` alone.
        dead_letters: A request that can't be done goes to a dead-letter queue.
        unknown_outcome: The code of a failure when the work may have been done.
    """

    name: str
    schema: type[Schema]
    work: Callable[[Request, Body, Dependencies], Parts]
    done_message: str
    reply_retention: timedelta = timedelta(minutes=15)
    needs_subject: bool = True
    dead_letters: bool = True
    unknown_outcome: str | None = None

    def run(self, request: Request, dependencies: Dependencies) -> Parts:
        """Validate the body and do the work.

        Raises:
            Rejection: the request can't be done.
            Unavailable: a part that the work needs does not answer.
        """
        return self.work(request, schemas.validated(self.schema, request.fields), dependencies)


def _auth(_request: Request, body: Body, to: Dependencies) -> Parts:
    if "refresh_token" in body:
        token = body["refresh_token"]
        return [refresh_session(identity=to.identity, ledger=to.ledger, refresh_token=token)]
    credentials = Credentials(body["username"], body["password"], body.get("new_password"))
    return [log_in(identity=to.identity, ledger=to.ledger, credentials=credentials)]


def _utils(request: Request, _body: Body, to: Dependencies) -> Parts:
    return show_debts(
        ledger=to.ledger,
        cache=to.cache,
        clock=to.clock,
        subject=request.caller,
        apartment_id=apartment_of(request),
    )


def _histories(request: Request, body: Body, to: Dependencies) -> Parts:
    return sync_history(
        ledger=to.ledger,
        cache=to.cache,
        subject=request.caller,
        apartment_id=apartment_of(request),
        frame=frame_from(date_down=body["date_down"], date_up=body["date_up"]),
        cursor=body.get("cursor"),
    )


def _payments(request: Request, body: Body, to: Dependencies) -> Parts:
    order = PaymentOrder(
        subject=request.caller,
        request_key=idempotency_key_of(request),
        apartment_id=apartment_of(request),
        bills=tuple(body["bills_id"]),
        expected_total_minor=body.get("expected_total_minor"),
    )
    return receipt_parts(pay_bills(ledger=to.ledger, order=order))


_ALL = (
    Operation(
        name="auth",
        schema=schemas.Auth,
        work=_auth,
        done_message="Logged in.",
        # The answer holds tokens, and the request a password, which must not rest anywhere.
        reply_retention=timedelta(minutes=5),
        needs_subject=False,
        dead_letters=False,
    ),
    Operation(
        name="utils",
        schema=schemas.Utils,
        work=_utils,
        done_message="These are the current debts.",
    ),
    Operation(
        name="histories",
        schema=schemas.Histories,
        work=_histories,
        done_message="This is what was settled since.",
    ),
    Operation(
        name="payments",
        schema=schemas.Payments,
        work=_payments,
        done_message="Paid.",
        # An earlier receive may have paid and lost the connection in COMMIT: never say "failed".
        unknown_outcome="payment_outcome_unknown",
    ),
)
OPERATIONS: Mapping[str, Operation] = {one.name: one for one in _ALL}
