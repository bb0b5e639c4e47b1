"""Request and answer: POST, 202, polling, parts, acknowledgement."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from billing_client.clock import Backoff, Clock, Deadline
from billing_client.errors import (
    AnswerTimeout,
    BillingError,
    ConnectionFailed,
    RequestRejected,
    ServiceFailed,
    UnexpectedAnswer,
)
from billing_client.fields import Fields
from billing_client.gateway import Call
from billing_client.mailbox import Mailboxes
from billing_client.pending import PendingRequest
from billing_client.replies import Gathered, Reply, decode_reply
from billing_client.submission import Send, Submission, may_pass, pause_asked

LONG_POLL_SECONDS = 20
# A poll that ends sooner was no long poll: the queue does not exist yet, or is not ours.
QUICK_SECONDS = 1.0
# Left of the deadline for an answer that arrives at the end of a long poll.
MARGIN_SECONDS = 0.25

log = logging.getLogger("billing_client")


class Exchange:
    """Asks the service and waits for the whole answer."""

    def __init__(self, send: Send, clock: Clock) -> None:
        self._send = send
        self._clock = clock
        self._mailboxes = Mailboxes(clock)

    def ask(
        self,
        pending: PendingRequest,
        deadline: Deadline,
        *,
        secret_body: Mapping[str, Any] | None = None,
    ) -> list[Fields]:
        """Send a request and return the ``data`` of its parts.

        ``secret_body`` is sent but not kept in the handle. Raises RequestRejected,
        ServiceFailed, AnswerTimeout, and what sending raises.
        """
        mailbox = self._mailboxes.current()
        pending = replace(pending, queue_name=mailbox.queue_name, request_id=None)
        accepted = self._submit(pending, deadline, secret_body or {})
        if not mailbox.exists:
            # A queue that is not there yet answers polls at once; one that is there waits.
            # Half of a short timeout is left for the answer itself.
            deadline.pause(min(_first_pause(accepted), deadline.remaining() / 2))
        handle = replace(pending, request_id=accepted.text("request_id"))
        return self.collect(handle, deadline)

    def _submit(
        self, pending: PendingRequest, deadline: Deadline, secret_body: Mapping[str, Any]
    ) -> Fields:
        body = {**pending.body, **secret_body, "queue_name": pending.queue_name}
        key = pending.idempotency_key
        headers = {} if key is None else {"Idempotency-Key": key}
        submission = Submission(self._send, pending, deadline)
        return submission.accept(Call("POST", pending.path, body, headers=headers))

    def collect(self, pending: PendingRequest, deadline: Deadline) -> list[Fields]:
        """Wait for the answer of a request that was accepted, and acknowledge it."""
        poller = Poller(self._send, pending, deadline, self._clock)
        gathered = self._mailboxes.named(pending.queue_name).wait(
            pending.request_id or "",
            receive=poller.receive,
            acknowledge=poller.acknowledge,
            progressed=poller.progressed,
            deadline=deadline,
        )
        if gathered is None:
            self._mailboxes.renew()
            raise AnswerTimeout("No answer came in time.", pending=pending) from poller.trouble
        poller.acknowledge(gathered.receipts)
        return _outcome(gathered, pending)


@dataclass
class Poller:
    """Polls and acknowledges for one waiting call. Passing trouble is waited out."""

    send: Send
    pending: PendingRequest
    deadline: Deadline
    clock: Clock
    backoff: Backoff = field(default_factory=Backoff)
    trouble: BillingError | None = None
    _started_at: float = 0.0

    def receive(self) -> list[Reply]:
        """Return what one poll brings, nothing if it failed in a way that may pass."""
        self._started_at = self.clock.monotonic()
        try:
            answer = self.send(self._poll(), self.deadline)
        except BillingError as error:
            if not may_pass(error):
                error.pending = self.pending
                raise
            self.trouble = error
            return []
        self.trouble = None
        return _decoded(answer)

    def _poll(self) -> Call:
        left = max(0.0, self.deadline.remaining() - MARGIN_SECONDS)
        wait_seconds = min(LONG_POLL_SECONDS, int(left))
        query = {"wait_seconds": str(wait_seconds)}
        return Call("GET", self.pending.poll_path, query=query, wait_seconds=wait_seconds)

    def progressed(self, brought_news: bool) -> None:
        """Pause after a poll that came back at once and brought nothing for this call."""
        quick = self.clock.monotonic() - self._started_at < QUICK_SECONDS
        if brought_news or not quick:
            self.backoff.reset()
        if self.trouble or (quick and not brought_news):
            asked = pause_asked(self.trouble) if self.trouble else 0.0
            self.deadline.pause(max(asked, self.backoff.next_pause()))

    def acknowledge(self, receipts: tuple[str, ...]) -> None:
        """Take messages off the queue.

        A message that can't be taken off comes back and is dropped then, so a failure here
        costs nothing and is no error of the call.
        """
        for receipt in receipts:
            try:
                self.send(
                    Call("DELETE", self.pending.poll_path, query={"receipt": receipt}),
                    self.deadline,
                )
            except BillingError as error:
                log.debug("a reply was not acknowledged: %s", error.code)
                if self.deadline.passed or isinstance(error, ConnectionFailed):
                    return


def _first_pause(accepted: Fields) -> float:
    """Return the seconds that the service asks to wait before the first poll."""
    seconds = accepted.values.get("retry_after_seconds")
    return max(0.0, float(seconds)) if isinstance(seconds, int | float) else 0.0


def _decoded(answer: Fields) -> list[Reply]:
    """Read the replies; one that is malformed is nobody's and stays on the queue."""
    replies = []
    for item in answer.items("replies"):
        try:
            replies.append(decode_reply(item))
        except UnexpectedAnswer as error:
            log.warning("a malformed reply was left on its queue: %s", error.message)
    return replies


def _outcome(gathered: Gathered, pending: PendingRequest) -> list[Fields]:
    first = gathered.replies[0]
    if first.status == "done":
        return [Fields.of(reply.data, "data") for reply in gathered.replies]
    code, message = first.code or f"request_{first.status}", first.message
    if first.status == "rejected":
        raise RequestRejected(code, message, details=first.data, request_id=first.request_id)
    raise ServiceFailed(code, message, request_id=first.request_id, pending=pending)
