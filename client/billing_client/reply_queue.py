"""Reply queues: replies are sorted by request, and parts are assembled into whole replies."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

from billing_client.errors import UnexpectedAnswer
from billing_client.serialization import Fields
from billing_client.transport import Clock, Deadline

# Requests whose replies are remembered, complete or not. What is forgotten comes back from the
# queue, so the number limits memory and loses nothing.
REQUESTS_REMEMBERED = 256
# A thread that waits for another's poll checks for its own reply at least this often.
CHECK_SECONDS = 0.5
# The service deletes queues that were idle for a day, those of logins after ten minutes. A name is
# given up well before, since a deleted queue can't be created again for a minute.
IDLE_SECONDS = 300.0


@dataclass(frozen=True)
class Reply:
    """One message of a reply queue. `receipt` acknowledges it."""

    request_id: str
    status: str
    code: str | None
    message: str
    data: dict[str, object] | None
    part: int
    parts: int
    receipt: str

    @property
    def answer(self) -> tuple[str, int, object]:
        """What all parts of one answer have in common.

        A request that was carried out twice is answered twice, perhaps at two versions of the
        ledger. Parts of different answers are never joined.
        """
        return self.status, self.parts, (self.data or {}).get("version")


def decode_reply(item: Fields) -> Reply:
    """Read a message; raises UnexpectedAnswer if it is not a reply."""
    data = item.values.get("data")
    part, parts = item.integer("part"), item.integer("parts")
    if not 1 <= part <= parts:
        raise UnexpectedAnswer("The service's answer has no valid reply.part.")
    return Reply(
        request_id=item.text("request_id"),
        status=item.text("status"),
        code=item.optional_text("code"),
        message=item.optional_text("message") or "",
        data=data if isinstance(data, dict) else None,
        part=part,
        parts=parts,
        receipt=item.text("receipt"),
    )


@dataclass(frozen=True)
class AssembledReply:
    """All parts of an answer, and the receipts of every message for its request."""

    parts: tuple[Reply, ...]
    receipts: tuple[str, ...]


@dataclass
class _Received:
    """What has come for one request: parts by answer, and everything to acknowledge."""

    answers: dict[tuple[str, int, object], dict[int, Reply]] = field(default_factory=dict)
    receipts: dict[str, None] = field(default_factory=dict)

    def add(self, reply: Reply) -> bool:
        """Add a reply; tell whether it is a new part."""
        self.receipts[reply.receipt] = None
        parts = self.answers.setdefault(reply.answer, {})
        is_new = reply.part not in parts
        parts.setdefault(reply.part, reply)
        return is_new

    def assembled(self) -> AssembledReply | None:
        """Return the first answer that is complete."""
        for (_, count, _), parts in self.answers.items():
            if len(parts) == count:
                return AssembledReply(tuple(parts[n] for n in sorted(parts)), tuple(self.receipts))
        return None


class ReplyAssembler:
    """Sorts replies by request and assembles their parts.

    Replies to requests that nobody made here stay unacknowledged: whoever waits for them finds
    them, and the queue delivers them again to everybody else.
    """

    def __init__(self) -> None:
        self._open: OrderedDict[str, _Received] = OrderedDict()
        self._done: OrderedDict[str, None] = OrderedDict()

    def put(self, replies: Iterable[Reply]) -> tuple[set[str], tuple[str, ...]]:
        """Add replies.

        Returns:
            The requests with new parts, and the receipts of replies that came again after their
            request was answered.
        """
        news: set[str] = set()
        repeated: list[str] = []
        for reply in replies:
            if reply.request_id in self._done:
                repeated.append(reply.receipt)
            elif self._received(reply.request_id).add(reply):
                news.add(reply.request_id)
        return news, tuple(repeated)

    def has(self, request_id: str) -> bool:
        """Tell whether `take` would return a reply."""
        received = self._open.get(request_id)
        return received is not None and received.assembled() is not None

    def take(self, request_id: str) -> AssembledReply | None:
        """Return a complete reply, once; None while parts are missing."""
        received = self._open.get(request_id)
        assembled = received.assembled() if received else None
        if assembled is not None:
            del self._open[request_id]
            self._done[request_id] = None
            _forget_oldest(self._done)
        return assembled

    def _received(self, request_id: str) -> _Received:
        received = self._open.setdefault(request_id, _Received())
        self._open.move_to_end(request_id)
        _forget_oldest(self._open)
        return received


def _forget_oldest(remembered: OrderedDict[str, Any]) -> None:
    while len(remembered) > REQUESTS_REMEMBERED:
        remembered.popitem(last=False)


class ReplyQueue:
    """One reply queue, shared by the threads of a client.

    Two threads that poll the same queue would take each other's replies, which then stay hidden
    until their visibility timeout. So only one thread polls at a time, and it hands over what
    belongs to others:

        while (reply := queue.take(request_id)) is None:
            if queue.claim_poll(request_id, deadline):
                queue.end_poll(poll())
    """

    def __init__(self, queue_name: str) -> None:
        self.queue_name = queue_name
        # The service creates a queue with its first reply, so one that held a reply exists.
        self.exists = False
        self._assembler = ReplyAssembler()
        self._changed = threading.Condition()
        self._polling = False

    def take(self, request_id: str) -> AssembledReply | None:
        """Return the complete reply to a request, None while parts are missing."""
        with self._changed:
            return self._assembler.take(request_id)

    def claim_poll(self, request_id: str, deadline: Deadline) -> bool:
        """Become the thread that polls, if the reply is not here and nobody else polls.

        Returns False after a short wait if another thread polls. After True, call `end_poll`,
        also when the poll failed.
        """
        with self._changed:
            if self._assembler.has(request_id):
                return False
            if self._polling:
                self._changed.wait(min(CHECK_SECONDS, deadline.remaining()))
                return False
            self._polling = True
            return True

    def end_poll(self, replies: list[Reply]) -> tuple[set[str], tuple[str, ...]]:
        """Hand over what a poll returned, and let the next thread poll.

        Returns:
            What `ReplyAssembler.put` returns.
        """
        with self._changed:
            self._polling = False
            self._changed.notify_all()
            self.exists = self.exists or bool(replies)
            return self._assembler.put(replies)


class ReplyQueuePool:
    """The reply queue for new requests, and those that still have waiting requests.

    All calls of a client share one queue, because creating a queue costs the service more than
    sorting replies costs the client. The name changes when it was idle, and when a reply did not
    come. With `idle_seconds` of 0 each request has a queue of its own.
    """

    def __init__(self, clock: Clock, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._known: WeakValueDictionary[str, ReplyQueue] = WeakValueDictionary()
        self._current: ReplyQueue | None = None
        self._used_at = clock.monotonic()

    def current(self) -> ReplyQueue:
        """Return the queue for a new request."""
        with self._lock:
            now = self._clock.monotonic()
            if self._current is None or now - self._used_at >= self._idle_seconds:
                self._current = self._open(str(uuid.uuid4()))
            self._used_at = now
            return self._current

    def named(self, queue_name: str) -> ReplyQueue:
        """Return the queue of a request that was sent before."""
        with self._lock:
            return self._known.get(queue_name) or self._open(queue_name)

    def renew(self) -> None:
        """Give the next request a queue of its own."""
        with self._lock:
            self._current = None

    def _open(self, queue_name: str) -> ReplyQueue:
        queue = ReplyQueue(queue_name)
        self._known[queue_name] = queue
        return queue
