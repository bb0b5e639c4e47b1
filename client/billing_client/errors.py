"""What can go wrong, by what the caller can do about it.

Every error has a stable `code` and a `message` for people. `pending` is set if the request may
have been accepted although its reply has not come: pass it to `BillingClient.collect`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from billing_client.models import PendingRequest

# Codes that the client itself sets. All others come from the service: docs/errors.md.
CLIENT_CODES: Mapping[str, str] = {
    "answer_timeout": "No reply arrived in time.",
    "connection_failed": "The service can't be reached, or the connection broke.",
    "http_<status>": "A proxy rejected the request with this HTTP status.",
    "not_logged_in": "There is no session on this machine.",
    "session_expired": "The session has ended.",
    "session_replaced": "Another resident has logged in on this machine meanwhile.",
    "unexpected_answer": "The service's reply doesn't follow the API contract.",
}
# The same for the `billing` command, which reports these without asking the service.
COMMAND_CODES: Mapping[str, str] = {
    "bill_ambiguous": "Several open bills begin with the given id.",
    "bill_not_found": "No open bill begins with the given id.",
    "bill_of_former_resident": "The bill is owed by somebody who lived there before.",
    "client_error": "The command has a bug. Please report what it printed.",
    "currency_mixed": "The selected bills are in several currencies.",
    "file_error": "A file can't be read or written.",
    "history_not_fetched": "`--offline` was given, but no history has been fetched yet.",
    "no_apartment": "You have no apartment.",
    "no_matching_bill": "No open bill matches the options.",
    "receipt_not_found": "None of your apartments has this receipt.",
    "too_many_bills": "More bills are selected than one payment can take.",
}


class BillingError(Exception):
    """Base class of all errors of this package."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        request_id: str | None = None,
        pending: PendingRequest | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.request_id = request_id
        self.pending = pending

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"

    def with_pending(self, pending: PendingRequest | None) -> Self:
        """Return a copy that leaves the outcome of this request open, or of none."""
        error = type(self).__new__(type(self), *self.args)
        vars(error).update(vars(self), pending=pending)
        return error


class SelectionError(BillingError):
    """The options of a command select nothing that can be paid or shown. Nothing was sent."""


class RequestRejected(BillingError):
    """The service can't do what was asked; asking again changes nothing.

    `details` holds what the service added, such as `bills` or `total_minor`.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: Mapping[str, object] | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(code, message, request_id=request_id)
        self.details = dict(details or {})


class ServiceFailed(BillingError):
    """The service failed this time; try again later."""


class UnexpectedAnswer(ServiceFailed):
    """The answer doesn't follow the API contract."""

    def __init__(self, message: str) -> None:
        super().__init__("unexpected_answer", message)


class GatewayRejected(BillingError):
    """The gateway rejected the request before accepting it, or a proxy answered in its place.

    `retry_after_seconds` is the pause that the gateway asked for, mostly with status 429.
    `from_gateway` is False if the answer has not the shape of the gateway's errors: then the
    request may have been accepted, too.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        http_status: int,
        retry_after_seconds: float | None = None,
        request_id: str | None = None,
        from_gateway: bool = True,
    ) -> None:
        super().__init__(code, message, request_id=request_id)
        self.http_status = http_status
        self.retry_after_seconds = retry_after_seconds
        self.from_gateway = from_gateway

    @property
    def is_retryable(self) -> bool:
        """Tell whether the same request may be accepted a moment later.

        403 is a firewall's limit for this address, which passes.
        """
        return not self.from_gateway or self.http_status in (403, 429) or self.http_status >= 500


class AnswerTimeout(BillingError):
    """No answer came in time; the request may still be carried out."""

    def __init__(self, message: str, *, pending: PendingRequest | None) -> None:
        request_id = pending.request_id if pending else None
        super().__init__("answer_timeout", message, request_id=request_id, pending=pending)


class NotLoggedIn(BillingError):
    """There is no session, or it has ended: log in."""


class ConnectionFailed(BillingError):
    """The service can't be reached.

    `reached` is True if there was a connection, so that the request may have been accepted.
    """

    def __init__(self, message: str, *, reached: bool) -> None:
        super().__init__("connection_failed", message)
        self.reached = reached
