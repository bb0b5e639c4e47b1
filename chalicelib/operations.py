"""Each operation: validate the body, make one call of a use case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from billing_app.domain.history import frame_from
from billing_app.ports.cache import ResultCache
from billing_app.ports.clock import Clock
from billing_app.ports.identity import Credentials, IdentityProvider
from billing_app.ports.ledger import Ledger, PaymentOrder
from billing_app.use_cases.debts import show_debts
from billing_app.use_cases.history import sync_history
from billing_app.use_cases.login import log_in, stay_logged_in
from billing_app.use_cases.payments import pay_bills, receipt_parts
from chalicelib import schemas
from chalicelib.records import Request

Parts = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Login:
    """`auth`: log in, or stay logged in."""

    identity: IdentityProvider
    ledger: Ledger

    def __call__(self, request: Request) -> Parts:
        """Return the session."""
        body = schemas.validated(schemas.Auth, request.fields)
        if "refresh_token" in body:
            token = body["refresh_token"]
            return [stay_logged_in(identity=self.identity, ledger=self.ledger, refresh_token=token)]
        credentials = Credentials(body["username"], body["password"], body.get("new_password"))
        return [log_in(identity=self.identity, ledger=self.ledger, credentials=credentials)]


@dataclass(frozen=True, slots=True)
class Debts:
    """`utils`: the current debts."""

    ledger: Ledger
    cache: ResultCache
    clock: Clock

    def __call__(self, request: Request) -> Parts:
        """Return the debts in parts."""
        schemas.validated(schemas.Utils, request.fields)
        return show_debts(
            ledger=self.ledger,
            cache=self.cache,
            clock=self.clock,
            subject=request.caller,
            apartment_id=request.apartment_id,
        )


@dataclass(frozen=True, slots=True)
class Payment:
    """`payments`: pay the chosen bills."""

    ledger: Ledger

    def __call__(self, request: Request) -> Parts:
        """Return the receipt in parts."""
        body = schemas.validated(schemas.Payments, request.fields)
        order = PaymentOrder(
            subject=request.caller,
            request_key=request.idempotency_key,
            apartment_id=request.apartment_id,
            bills=tuple(body["bills_id"]),
            expected_total_minor=body.get("expected_total_minor"),
        )
        return receipt_parts(pay_bills(ledger=self.ledger, order=order))


@dataclass(frozen=True, slots=True)
class History:
    """`histories`: what the client's copy of the history lacks."""

    ledger: Ledger
    cache: ResultCache

    def __call__(self, request: Request) -> Parts:
        """Return the difference in parts."""
        body = schemas.validated(schemas.Histories, request.fields)
        return sync_history(
            ledger=self.ledger,
            cache=self.cache,
            subject=request.caller,
            apartment_id=request.apartment_id,
            frame=frame_from(date_down=body["date_down"], date_up=body["date_up"]),
            cursor=body.get("cursor"),
        )
