"""Replies as they come off a queue, and the gathering of their parts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from billing_client.errors import UnexpectedAnswer
from billing_client.fields import Fields

# Requests whose replies are remembered, answered or not. What is forgotten comes back
# from the queue, so the number bounds memory and loses nothing.
REQUESTS_REMEMBERED = 256


@dataclass(frozen=True)
class Reply:
    """One message of a reply queue. ``receipt`` is what acknowledges it."""

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
        books: parts of different answers are never joined.
        """
        return self.status, self.parts, (self.data or {}).get("version")


def decode_reply(item: Fields) -> Reply:
    data = item.values.get("data")
    part, parts = item.whole("part"), item.whole("parts")
    if not 1 <= part <= parts:
        raise UnexpectedAnswer("The service's answer has no proper reply.part.")
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


@dataclass
class Gathering:
    """What has come for one request: parts by answer, and everything to acknowledge."""

    answers: dict[tuple[str, int, object], dict[int, Reply]] = field(default_factory=dict)
    receipts: dict[str, None] = field(default_factory=dict)

    def add(self, reply: Reply) -> bool:
        """Take a reply in; tells whether it brought something new."""
        self.receipts[reply.receipt] = None
        parts = self.answers.setdefault(reply.answer, {})
        new = reply.part not in parts
        parts.setdefault(reply.part, reply)
        return new

    def complete(self) -> tuple[Reply, ...] | None:
        """Return the parts, in order, of the first answer that has them all."""
        for (_, count, _), parts in self.answers.items():
            if len(parts) == count:
                return tuple(parts[number] for number in sorted(parts))
        return None


@dataclass(frozen=True)
class Gathered:
    """A complete answer, and the receipts of every message that belongs to its request."""

    replies: tuple[Reply, ...]
    receipts: tuple[str, ...]


class Inbox:
    """Sorts replies by request.

    Replies of requests that nobody asked for here are kept unacknowledged: who waits for them
    finds them, and the queue brings them back to anybody else.
    """

    def __init__(self) -> None:
        self._open: OrderedDict[str, Gathering] = OrderedDict()
        self._done: OrderedDict[str, None] = OrderedDict()

    def put(self, replies: Iterable[Reply]) -> tuple[set[str], tuple[str, ...]]:
        """Take replies in.

        Returns the requests for which something new came, and the receipts of those that came
        again for requests answered before.
        """
        news: set[str] = set()
        again: list[str] = []
        for reply in replies:
            if reply.request_id in self._done:
                again.append(reply.receipt)
            elif self._gathering(reply.request_id).add(reply):
                news.add(reply.request_id)
        return news, tuple(again)

    def take(self, request_id: str) -> Gathered | None:
        """Hand out a complete answer once; None while parts are missing."""
        gathering = self._open.get(request_id)
        replies = gathering.complete() if gathering else None
        if gathering is None or replies is None:
            return None
        del self._open[request_id]
        self._done[request_id] = None
        _forget_oldest(self._done)
        return Gathered(replies, tuple(gathering.receipts))

    def _gathering(self, request_id: str) -> Gathering:
        gathering = self._open.setdefault(request_id, Gathering())
        self._open.move_to_end(request_id)
        _forget_oldest(self._open)
        return gathering


def _forget_oldest(remembered: OrderedDict[str, Any]) -> None:
    while len(remembered) > REQUESTS_REMEMBERED:
        remembered.popitem(last=False)
