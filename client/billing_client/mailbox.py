"""Reply queues shared by the threads of one client: one thread polls, all are served."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from weakref import WeakValueDictionary

from billing_client.clock import Clock, Deadline
from billing_client.replies import Gathered, Inbox, Reply

# A thread that waits for another's poll looks up at least this often.
LOOK_UP_SECONDS = 0.5
# The service removes queues that lie idle; a name is left well before that can happen, since
# a removed queue can't be made again for a minute.
IDLE_SECONDS = 300.0

Receive = Callable[[], list[Reply]]
Acknowledge = Callable[[tuple[str, ...]], None]
Progressed = Callable[[bool], None]


class Mailbox:
    """One reply queue.

    Two threads that polled the same queue would take each other's replies, which then stay
    hidden until their visibility timeout. So a thread polls only while no other does, and
    hands over what is not its own.
    """

    def __init__(self, queue_name: str) -> None:
        self.queue_name = queue_name
        self._inbox = Inbox()
        self._changed = threading.Condition()
        self._polling = False
        # Known to be there since it has held a reply; the service makes it with the first one.
        self.exists = False

    def wait(
        self,
        request_id: str,
        *,
        receive: Receive,
        acknowledge: Acknowledge,
        progressed: Progressed,
        deadline: Deadline,
    ) -> Gathered | None:
        """Return the whole answer to a request, or None when the deadline passes first.

        ``receive`` polls once; what it raises goes through. ``progressed`` is told after each
        poll whether it brought something for this request, and may pause.
        """
        while True:
            with self._changed:
                answer = self._inbox.take(request_id)
                if answer is not None or deadline.passed:
                    return answer
                if self._polling:
                    self._changed.wait(min(LOOK_UP_SECONDS, deadline.remaining()))
                    continue
                self._polling = True
            progressed(self._poll(request_id, receive, acknowledge))

    def _poll(self, request_id: str, receive: Receive, acknowledge: Acknowledge) -> bool:
        replies: list[Reply] = []
        try:
            replies = receive()
        finally:
            news, again = self._hand_over(replies)
        acknowledge(again)
        return request_id in news

    def _hand_over(self, replies: list[Reply]) -> tuple[set[str], tuple[str, ...]]:
        with self._changed:
            self._polling = False
            self._changed.notify_all()
            self.exists = self.exists or bool(replies)
            return self._inbox.put(replies)


class Mailboxes:
    """The reply queue that new requests name, and those that are still waited on.

    All calls of a client share one queue, because making a queue costs the service more than
    sorting replies costs us. The name changes after a rest, and when an answer did not come.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: WeakValueDictionary[str, Mailbox] = WeakValueDictionary()
        self._current: Mailbox | None = None
        self._used_at = clock.monotonic()

    def current(self) -> Mailbox:
        """Return the mailbox for a new request."""
        with self._lock:
            now = self._clock.monotonic()
            if self._current is None or now - self._used_at > IDLE_SECONDS:
                self._current = self._open(str(uuid.uuid4()))
            self._used_at = now
            return self._current

    def named(self, queue_name: str) -> Mailbox:
        """Return the mailbox of a request that was sent before."""
        with self._lock:
            return self._known.get(queue_name) or self._open(queue_name)

    def renew(self) -> None:
        """Give the next request a queue of its own."""
        with self._lock:
            self._current = None

    def _open(self, queue_name: str) -> Mailbox:
        mailbox = Mailbox(queue_name)
        self._known[queue_name] = mailbox
        return mailbox
