"""Payments: kept before they are sent, forgotten once their outcome is certain."""

from __future__ import annotations

from billing_client.answers import Receipt
from billing_client.clock import Deadline
from billing_client.decoding import decode_receipt
from billing_client.errors import (
    BillingError,
    GatewayRejected,
    RequestRejected,
    UnexpectedAnswer,
)
from billing_client.exchange import Exchange
from billing_client.pending import PendingPayments, PendingRequest, key_of


class Payments:
    """Sends payments so that none is lost from sight and none is made twice."""

    def __init__(self, exchange: Exchange, pending_payments: PendingPayments) -> None:
        self._exchange = exchange
        self._pending = pending_payments

    def pay(self, pending: PendingRequest, deadline: Deadline) -> Receipt:
        """Send a payment for the first time and return the receipt."""
        self._pending.keep(pending)
        try:
            return self._asked(pending, deadline)
        except BillingError as error:
            if error.pending is None:
                self._pending.forget(key_of(pending))
            raise

    def resume(self, pending: PendingRequest, deadline: Deadline) -> Receipt:
        """Send a payment again under its key.

        It may have been carried out the first time, so only a word of the service on this very
        payment makes its outcome certain.
        """
        self._pending.keep(pending)
        try:
            return self._asked(pending, deadline)
        except BillingError as error:
            if _rejected_for_good(error):
                self._pending.forget(key_of(pending))
            elif error.pending is None:
                error.pending = pending
            raise

    def _asked(self, pending: PendingRequest, deadline: Deadline) -> Receipt:
        try:
            receipt = decode_receipt(self._exchange.ask(pending, deadline))
        except UnexpectedAnswer as error:
            error.pending = pending
            raise
        self._pending.forget(key_of(pending))
        return receipt


def _rejected_for_good(error: BillingError) -> bool:
    """A body that the gateway rejects as such can't have been accepted earlier either."""
    if isinstance(error, GatewayRejected):
        return not error.may_pass and error.http_status != 401
    return isinstance(error, RequestRejected)
