"""Getting a request accepted: bounded retries, and a memory of doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from billing_client.clock import Backoff, Deadline
from billing_client.errors import (
    AnswerTimeout,
    BillingError,
    ConnectionFailed,
    GatewayRejected,
    UnexpectedAnswer,
)
from billing_client.fields import Fields
from billing_client.gateway import Call
from billing_client.pending import PendingRequest

ATTEMPTS = 4

Send = Callable[[Call, Deadline], Fields]


def may_pass(error: BillingError) -> bool:
    """Tell whether trying the same call again can help."""
    return isinstance(error, ConnectionFailed) or (
        isinstance(error, GatewayRejected) and error.may_pass
    )


def pause_asked(error: BillingError) -> float:
    """Return the seconds that the gateway asked to wait, 0 if it did not."""
    asked = error.retry_after_seconds if isinstance(error, GatewayRejected) else None
    return asked or 0.0


def may_be_accepted(error: BillingError) -> bool:
    """Tell whether the request may be on its way although the call failed."""
    if isinstance(error, ConnectionFailed):
        return error.reached
    if isinstance(error, GatewayRejected):
        return error.http_status >= 500
    return isinstance(error, UnexpectedAnswer)


@dataclass
class Submission:
    """Sends one request until it is accepted, rejected for good, or tried often enough.

    Every request may be repeated: reads change nothing, payments carry their key. An error
    that leaves open whether the request was accepted carries it as ``pending``.
    """

    send: Send
    pending: PendingRequest
    deadline: Deadline
    backoff: Backoff = field(default_factory=lambda: Backoff(first_seconds=0.2, cap_seconds=5.0))
    doubt: bool = False

    def accept(self, call: Call) -> Fields:
        """Return the gateway's acknowledgement."""
        for _ in range(ATTEMPTS - 1):
            try:
                return self._try(call)
            except BillingError as error:
                self._pause_or_give_up(error)
        try:
            return self._try(call)
        except BillingError as error:
            raise self._final(error) from error

    def _try(self, call: Call) -> Fields:
        try:
            answer = self.send(call, self.deadline)
            answer.text("request_id")
            return answer
        except BillingError as error:
            self.doubt = self.doubt or may_be_accepted(error)
            raise

    def _pause_or_give_up(self, error: BillingError) -> None:
        pause = max(self.backoff.next_pause(), pause_asked(error))
        if not may_pass(error) or pause >= self.deadline.remaining():
            raise self._final(error) from error
        self.deadline.pause(pause)

    def _final(self, error: BillingError) -> BillingError:
        if not self.doubt:
            return error
        if self.deadline.passed:
            return AnswerTimeout(
                "The service did not confirm the request in time.", pending=self.pending
            )
        error.pending = self.pending
        return error
