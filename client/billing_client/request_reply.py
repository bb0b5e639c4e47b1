"""Request and reply: send a request, poll for its reply, assemble and acknowledge it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from billing_client.errors import (
    AnswerTimeout,
    BillingError,
    ConnectionFailed,
    GatewayRejected,
    RequestRejected,
    ServiceFailed,
    UnexpectedAnswer,
)
from billing_client.models import PendingRequest
from billing_client.reply_queue import (
    IDLE_SECONDS,
    AssembledReply,
    Reply,
    ReplyQueue,
    ReplyQueuePool,
    decode_reply,
)
from billing_client.serialization import Fields
from billing_client.transport import Backoff, Clock, Deadline, Request, Transport

ATTEMPTS = 4
LONG_POLL_SECONDS = 20
# A poll that ends sooner was no long poll: the queue doesn't exist yet, or is not ours.
QUICK_SECONDS = 1.0
# Left of the deadline for an answer that arrives at the end of a long poll.
MARGIN_SECONDS = 0.25

log = logging.getLogger("billing_client")


class RequestReply:
    """Sends requests and waits for their whole replies; `idle_seconds` as in `ReplyQueuePool`."""

    def __init__(
        self, transport: Transport, clock: Clock, *, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self._transport = transport
        self._queues = ReplyQueuePool(clock, idle_seconds=idle_seconds)

    def ask(
        self,
        pending: PendingRequest,
        deadline: Deadline,
        *,
        unkept_body: Mapping[str, Any] | None = None,
    ) -> list[Fields]:
        """Send a request and return the `data` of each part of its reply.

        `unkept_body` is sent too, and not kept in `AnswerTimeout.pending`.

        Raises:
            RequestRejected: The service can't do it.
            ServiceFailed: The service failed this time.
            AnswerTimeout: No reply came in time.
            BillingError: What `Transport.send` raises.
        """
        queue = self._queues.current()
        pending = replace(pending, queue_name=queue.queue_name, request_id=None)
        accepted = submit(self._transport, pending, deadline, unkept_body or {})
        if not queue.exists:
            # Polls of a queue that doesn't exist yet return at once; others wait for a reply.
            # Half of a short timeout is left for the reply itself.
            deadline.pause(min(_first_pause(accepted), deadline.remaining() / 2))
        return self.collect(replace(pending, request_id=accepted.text("request_id")), deadline)

    def collect(self, pending: PendingRequest, deadline: Deadline) -> list[Fields]:
        """Wait for the reply to a request that was accepted, and acknowledge it.

        Raises:
            BillingError: What `ask` raises.
        """
        queue = self._queues.named(pending.queue_name)
        poller = _Poller(self._transport, pending, deadline)
        request_id = pending.request_id or ""
        while (reply := queue.take(request_id)) is None and not deadline.passed:
            if queue.claim_poll(request_id, deadline):
                poller.poll(queue)
        if reply is None:
            self._queues.renew()
            raise AnswerTimeout("No reply came in time.", pending=pending) from poller.trouble
        poller.acknowledge(reply.receipts)
        return _data(reply, pending)


def submit(
    transport: Transport,
    pending: PendingRequest,
    deadline: Deadline,
    unkept_body: Mapping[str, Any],
) -> Fields:
    """Send a request until it is accepted, rejected for good, or tried often enough.

    Every request may be repeated: reads change nothing, payments carry their idempotency key.

    Returns:
        The gateway's acknowledgement.

    Raises:
        BillingError: The request was not accepted; with `pending` if it may have been.
    """
    body = {**pending.body, **unkept_body, "queue_name": pending.queue_name}
    key = pending.idempotency_key
    headers = {} if key is None else {"Idempotency-Key": key}
    request = Request("POST", pending.path, body, headers=headers)
    backoff = Backoff(first_seconds=0.2, cap_seconds=5.0)
    possibly_accepted = False
    for attempts_left in reversed(range(ATTEMPTS)):
        try:
            accepted = transport.send(request, deadline)
            accepted.text("request_id")
            return accepted
        except BillingError as error:
            possibly_accepted = possibly_accepted or _possibly_accepted(error)
            pause = max(backoff.next_pause(), _pause_asked(error))
            if not attempts_left or not _is_retryable(error) or pause >= deadline.remaining():
                raise _not_confirmed(error, pending, deadline, possibly_accepted) from error
            deadline.pause(pause)
    raise AssertionError("the last attempt returns or raises")


def _is_retryable(error: BillingError | None) -> bool:
    """Tell whether sending the same request again can help."""
    # A proxy or a login page of a network may answer instead of the service.
    return isinstance(error, ConnectionFailed | UnexpectedAnswer) or (
        isinstance(error, GatewayRejected) and error.is_retryable
    )


def _possibly_accepted(error: BillingError) -> bool:
    """Tell whether the request may have been accepted although sending it failed."""
    if isinstance(error, ConnectionFailed):
        return error.reached
    if isinstance(error, GatewayRejected):
        return not error.from_gateway or error.http_status >= 500
    return isinstance(error, UnexpectedAnswer)


def _pause_asked(error: BillingError | None) -> float:
    """Return the seconds that the gateway asked to wait, 0 if it did not."""
    asked = error.retry_after_seconds if isinstance(error, GatewayRejected) else None
    return asked or 0.0


def _not_confirmed(
    error: BillingError, pending: PendingRequest, deadline: Deadline, possibly_accepted: bool
) -> BillingError:
    if not possibly_accepted:
        return error
    if deadline.passed:
        return AnswerTimeout("The service did not confirm the request in time.", pending=pending)
    return error.with_pending(pending)


class _Poller:
    """Polls and acknowledges for one waiting call. Temporary trouble is waited out."""

    def __init__(self, transport: Transport, pending: PendingRequest, deadline: Deadline) -> None:
        self.trouble: BillingError | None = None
        self._transport = transport
        self._pending = pending
        self._deadline = deadline
        self._backoff = Backoff()

    def poll(self, queue: ReplyQueue) -> None:
        """Poll once, then pause if the poll returned at once without news for this call."""
        clock = self._deadline.clock
        started_at = clock.monotonic()
        replies: list[Reply] = []
        try:
            replies = self._receive()
        finally:
            news, repeated = queue.end_poll(replies)
        quick = clock.monotonic() - started_at < QUICK_SECONDS
        self.acknowledge(repeated)
        self._pace(quick and self._pending.request_id not in news)

    def acknowledge(self, receipts: tuple[str, ...]) -> None:
        """Delete messages from the queue.

        A message that can't be deleted is delivered again and dropped then, so a failure here
        costs nothing and is not an error of the call.
        """
        for receipt in receipts:
            query = {"receipt": receipt}
            try:
                self._transport.send(
                    Request("DELETE", self._pending.poll_path, query=query), self._deadline
                )
            except BillingError as error:
                log.debug("a reply was not acknowledged: %s", error.code)
                if self._deadline.passed or isinstance(error, ConnectionFailed):
                    return

    def _receive(self) -> list[Reply]:
        """Return what one poll brings, nothing if it failed in a way that may pass."""
        left = max(0.0, self._deadline.remaining() - MARGIN_SECONDS)
        wait_seconds = min(LONG_POLL_SECONDS, int(left))
        query = {"wait_seconds": str(wait_seconds)}
        path = self._pending.poll_path
        request = Request("GET", path, query=query, wait_seconds=wait_seconds)
        self.trouble = None
        try:
            return _decoded(self._transport.send(request, self._deadline))
        except BillingError as error:
            if not _is_retryable(error):
                raise error.with_pending(self._pending) from error
            self.trouble = error
            return []

    def _pace(self, was_useless: bool) -> None:
        if not was_useless:
            self._backoff.reset()
        if was_useless or self.trouble:
            self._deadline.pause(max(_pause_asked(self.trouble), self._backoff.next_pause()))


def _first_pause(accepted: Fields) -> float:
    """Return the seconds that the service asks to wait before the first poll."""
    seconds = accepted.values.get("retry_after_seconds")
    return max(0.0, float(seconds)) if isinstance(seconds, int | float) else 0.0


def _decoded(answer: Fields) -> list[Reply]:
    """Read the replies; a malformed one stays on the queue."""
    replies = []
    for item in answer.items("replies"):
        try:
            replies.append(decode_reply(item))
        except UnexpectedAnswer as error:
            log.warning("a malformed reply was left on its queue: %s", error.message)
    return replies


def _data(reply: AssembledReply, pending: PendingRequest) -> list[Fields]:
    """Return the data of each part; raises what a rejection or failure means."""
    first = reply.parts[0]
    if first.status == "done":
        return [Fields.of(part.data, "data") for part in reply.parts]
    code, message = first.code or f"request_{first.status}", first.message
    if first.status == "rejected":
        raise RequestRejected(code, message, details=first.data, request_id=first.request_id)
    raise ServiceFailed(code, message, request_id=first.request_id, pending=pending)
