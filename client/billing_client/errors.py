"""What can go wrong, by what the caller can do about it.

Every error has a stable ``code`` and a ``message`` for people. ``pending`` is there when a
request may have been accepted though its answer has not come: hand it to
``BillingClient.collect`` to fetch the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from billing_client.pending import PendingRequest


class BillingError(Exception):
    """Root of all errors of this package."""

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


class RequestRejected(BillingError):
    """The request can't be done as asked; asking again changes nothing.

    ``details`` is what the service added, such as ``bills`` or ``total_minor``.
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
    """The service could not do it this time; ask again later."""


class UnexpectedAnswer(ServiceFailed):
    """The answer is not what the contract promises."""

    def __init__(self, message: str, *, request_id: str | None = None) -> None:
        super().__init__("unexpected_answer", message, request_id=request_id)


class GatewayRejected(BillingError):
    """The gateway rejected the request before accepting it.

    ``retry_after_seconds`` is what the gateway asked for, most of all with status 429.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        http_status: int,
        retry_after_seconds: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(code, message, request_id=request_id)
        self.http_status = http_status
        self.retry_after_seconds = retry_after_seconds

    @property
    def may_pass(self) -> bool:
        """Tell whether the same request may be accepted a moment later."""
        return self.http_status == 429 or self.http_status >= 500


class AnswerTimeout(BillingError):
    """No answer came in time; the request may still be carried out."""

    def __init__(self, message: str, *, pending: PendingRequest | None) -> None:
        request_id = pending.request_id if pending else None
        super().__init__("answer_timeout", message, request_id=request_id, pending=pending)


class NotLoggedIn(BillingError):
    """There is no session, or it is over: log in."""


class ConnectionFailed(BillingError):
    """The service can't be reached.

    ``reached`` tells whether a connection stood, so that the request may have been accepted.
    """

    def __init__(self, message: str, *, reached: bool) -> None:
        super().__init__("connection_failed", message)
        self.reached = reached
