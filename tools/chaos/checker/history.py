"""The history of a run, indexed: who asked what when, and what came when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Event = Mapping[str, Any]
Row = Mapping[str, Any]


class Request:
    """A request that was sent, read from the event before it and the one after.

    `request_id` is None when it was not accepted, or when nobody knows (`is_lost`). `key` is a
    payment's: the client's, else the request's id. `content` is what a payment asks for: apartment,
    bills and expected total. With the same key and the same content it is the same payment.
    """

    def __init__(self, event: Event, outcome: Event | None) -> None:
        self.event = event
        self.outcome = outcome
        self.t = float(event["t"])
        self.user = str(event["user"])
        self.op = str(event["op"])
        self.apartment = str(event.get("apartment") or "")
        self.request_id: str | None = (outcome or {}).get("request_id")
        status = (outcome or {}).get("status") or 0
        self.is_lost = self.request_id is None and (status == 0 or status >= 500)
        self.key: str | None = event.get("key") or self.request_id
        self.content = (self.apartment, frozenset(event.get("bills", [])), event.get("expected"))

    @property
    def events(self) -> tuple[Event, ...]:
        """The request and what became of it."""
        return (self.event,) if self.outcome is None else (self.event, self.outcome)


class Reply:
    """A reply (one part) as a client got it; `request` is None where its id is not known.

    `status` is done, rejected or failed. `version` is the ledger's, None for all but reads.
    """

    def __init__(self, event: Event, request: Request | None) -> None:
        self.event = event
        self.request = request
        self.t = float(event["t"])
        self.user = str(event["user"])
        self.body: Mapping[str, Any] = event["reply"]
        self.request_id = str(self.body["request_id"])
        self.op = str(self.body["operation"])
        self.status = str(self.body["status"])
        self.data: Mapping[str, Any] = self.body.get("data") or {}
        self.version: Any = self.data.get("version")
        self.is_receipt = self.status == "done" and self.op == "payments"

    @property
    def events(self) -> tuple[Event, ...]:
        """The request, where it is known, and the reply."""
        return (self.event,) if self.request is None else (self.request.event, self.event)


@dataclass(frozen=True)
class Answer:
    """A whole answer that was done: all parts of one request at one version, in order."""

    parts: tuple[Reply, ...]

    @property
    def first(self) -> Reply:
        """The first part, which has all but some of the rows."""
        return self.parts[0]

    @property
    def request_id(self) -> str:
        """The id of the request that it answers."""
        return self.first.request_id

    @property
    def t(self) -> float:
        """When the client had the last of it."""
        return max(part.t for part in self.parts)

    def rows(self, name: str) -> list[Row]:
        """Return the rows of all parts: debts, or lines."""
        return [row for part in self.parts for row in part.data[name]]

    @property
    def events(self) -> tuple[Event, ...]:
        """The request, where it is known, and all parts."""
        asked = () if self.first.request is None else (self.first.request.event,)
        return (*asked, *(part.event for part in self.parts))


@dataclass(frozen=True)
class Read(Answer):
    """A whole answer to a read."""

    request: Request
    version: int


class History:
    """All events in the order of time."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = sorted(events, key=lambda event: float(event["t"]))
        self._by_kind: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            self._by_kind[event["e"]].append(event)
        self.end = float(self.events[-1]["t"]) if self.events else 0.0

    def of(self, kind: str) -> list[Event]:
        """Return the events of a kind."""
        return self._by_kind.get(kind, [])

    def operators(self, *actions: str) -> list[Event]:
        """Return the operators' calls of some actions."""
        return [event for event in self.of("operator") if event["action"] in actions]

    def phase(self, name: str) -> float | None:
        """Return when a phase began first, None when it never did."""
        return next((float(e["t"]) for e in self.of("phase") if e["name"] == name), None)

    @cached_property
    def requests(self) -> list[Request]:
        """Every request that was sent."""
        outcomes = {e["id"]: e for e in [*self.of("accepted"), *self.of("not_accepted")]}
        return [Request(event, outcomes.get(event["id"])) for event in self.of("invoke")]

    @cached_property
    def accepted(self) -> dict[str, Request]:
        """Accepted requests by request id."""
        return {one.request_id: one for one in self.requests if one.request_id is not None}

    @cached_property
    def replies(self) -> list[Reply]:
        """Every reply that a client got, each time that it came."""
        return [
            Reply(event, self.accepted.get(event["reply"]["request_id"]))
            for event in self.of("reply")
        ]

    @cached_property
    def attempts(self) -> dict[tuple[str, str], list[Request]]:
        """Payment requests by (user, key), in order of time."""
        found: dict[tuple[str, str], list[Request]] = defaultdict(list)
        for one in self.requests:
            if one.op == "payments" and one.key is not None:
                found[one.user, one.key].append(one)
        return found

    def same_key(self, request: Request) -> list[Request]:
        """Return the payment requests with the same key, itself included."""
        return self.attempts.get((request.user, str(request.key)), [])

    @cached_property
    def lost_payments(self) -> dict[str, list[Request]]:
        """Payment requests without a key that may have been accepted, by user."""
        found: dict[str, list[Request]] = defaultdict(list)
        for one in self.requests:
            if one.op == "payments" and one.is_lost and one.event.get("key") is None:
                found[one.user].append(one)
        return found

    def may_be_answered_by(self, reply: Reply) -> bool:
        """Whether a request with unknown outcome may have got a reply of an unknown id."""
        queue = reply.event["queue_name"]
        return any(
            one.is_lost
            and one.t < reply.t
            and (one.event["queue_name"], one.op) == (queue, reply.op)
            for one in self.requests
        )

    @cached_property
    def answers(self) -> list[Answer]:
        """Whole answers that were done, the first of each (request, version)."""
        sets: dict[tuple[str, Any], dict[int, Reply]] = defaultdict(dict)
        for reply in self.replies:
            if reply.status == "done":
                sets[reply.request_id, reply.version].setdefault(reply.body["part"], reply)
        ordered = (tuple(parts[number] for number in sorted(parts)) for parts in sets.values())
        return [Answer(parts) for parts in ordered if len(parts) == parts[0].body["parts"]]

    @cached_property
    def reads(self) -> list[Read]:
        """Whole answers to reads."""
        return [
            Read(answer.parts, answer.first.request, answer.first.version)
            for answer in self.answers
            if answer.first.request is not None and answer.first.version is not None
        ]

    @property
    def debts(self) -> list[Read]:
        """Whole answers about debts."""
        return [read for read in self.reads if read.request.op == "utils"]

    @property
    def receipts(self) -> list[Answer]:
        """Whole receipts."""
        return [answer for answer in self.answers if answer.first.is_receipt]
