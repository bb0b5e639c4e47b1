"""The history of a run, indexed: who asked what when, and what came when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

Event = Mapping[str, Any]
Row = Mapping[str, Any]

NEVER = float("inf")
# How far `clock_back` goes, and how far two clocks of one machine may be apart otherwise.
_CLOCK_STEP_SECONDS = 3600.0
_SLACK_SECONDS = 2.0


# What is answered to a call when the same was done before.
_DONE_ALREADY = {
    "grant": "residency_exists",
    "end": "residency_not_found",
    "reverse": "payment_already_reversed",
    "void": "bill_void",
    "reinstate": "bill_replaced",
}


def told_done(call: Event) -> bool:
    """Whether the answer to an operator's call says that it is done, by this call or before."""
    answer = call["answer"] or {}
    already = _DONE_ALREADY.get(call["action"])
    return answer.get("status") == "done" or (already is not None and answer.get("code") == already)


def happened(call: Event) -> bool:
    """Whether an operator's call was done, at its first attempt or at one that went unanswered."""
    is_done = (call["answer"] or {}).get("status") == "done"
    return is_done or (call.get("attempts", 1) > 1 and told_done(call))


def issued_lines(calls: Iterable[Event]) -> Iterator[tuple[Row, Row]]:
    """Give the lines that operators sent, each with what was answered to it."""
    for call in calls:
        answered = ((call["answer"] or {}).get("data") or {}).get("lines", [])
        yield from zip(call["args"]["file"]["lines"], answered, strict=False)


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

    def asks_for(self, payment: Row, bills: frozenset[str]) -> bool:
        """Whether it asks to pay these bills, as this payment did."""
        apartment, asked, expected = self.content
        is_same = (apartment, asked) == (payment["apartment_id"], bills)
        return is_same and expected in (None, payment["total_minor"])


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
        """Return the rows of all parts: debts, lines or events."""
        return [row for part in self.parts for row in part.data.get(name, [])]

    def shown(self, name: str) -> dict[str, Any]:
        """Return the parts as one: what they repeat, as each of them says it, and all rows."""
        heads = [{k: v for k, v in part.data.items() if k != name} for part in self.parts]
        same = {k: v for k, v in heads[0].items() if all(head.get(k) == v for head in heads)}
        return {**same, name: self.rows(name)}

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


@dataclass(frozen=True)
class FaultSpan:
    """When a fault was active; one that never ended is so for ever."""

    name: str
    begins: float
    ends: float

    def meets(self, begin: float, end: float, *, rest: float = 0.0) -> bool:
        """Whether it, or `rest` seconds after it, has an instant in common with [begin, end]."""
        return self.begins <= end and begin <= self.ends + rest


class History:
    """All events in the order of time. `left`: replies that nobody took off their queue."""

    def __init__(self, events: Sequence[Event], left: Sequence[Event] = ()) -> None:
        self.events = sorted(events, key=lambda event: float(event["t"]))
        self._left = left
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

    def calls(self, action: str, **args: Any) -> list[Event]:
        """Return the operators' calls of an action with these arguments."""
        return [one for one in self.operators(action) if args.items() <= one["args"].items()]

    @cached_property
    def imports(self) -> dict[str, list[Event]]:
        """The operators' calls that issued bills, by import."""
        found: dict[str, list[Event]] = defaultdict(list)
        for event in self.operators("issue"):
            found[event["args"]["file"]["import_id"]].append(event)
        return found

    @cached_property
    def faults(self) -> list[FaultSpan]:
        """Return when which faults were active."""
        begun: dict[str, list[float]] = defaultdict(list)
        found = []
        for event in self.of("fault"):
            name, at = str(event["name"]), float(event["t"])
            if event["phase"] == "begin":
                begun[name].append(at)
            elif begun[name]:
                found.append(FaultSpan(name, begun[name].pop(), at))
        lasting = [FaultSpan(name, at, NEVER) for name, times in begun.items() for at in times]
        return [*found, *lasting]

    def may_be_at(self, instant: str, begin: float, end: float) -> bool:
        """Whether a clock of the service can have shown an instant between two times of the run."""
        start = self.of("start")
        if not start:
            return True
        seconds = (
            datetime.fromisoformat(instant) - datetime.fromisoformat(start[0]["at"])
        ).total_seconds()
        stepped = any(one.name == "clock_back" for one in self.faults)
        back = _CLOCK_STEP_SECONDS if stepped else 0.0
        return begin - back - _SLACK_SECONDS <= seconds <= end + _SLACK_SECONDS

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
        """Every reply that a client got, each time that it came, and those that were left."""
        return [
            Reply(event, self.accepted.get(event["reply"]["request_id"]))
            for event in (*self.of("reply"), *map(self._came_last, self._left))
        ]

    def _came_last(self, left: Event) -> Event:
        """Return a reply that was left as if its owner had taken it at the end of the run."""
        asked = self.accepted.get(left["reply"]["request_id"])
        # Of a login's queue only its name is known.
        owner = left["user"] or (asked.user if asked and asked.op == "auth" else None)
        return {**left, "t": self.end, "user": owner, "op": left["reply"]["operation"]}

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

    @cached_property
    def _reads_of(self) -> dict[str, list[Read]]:
        found: dict[str, list[Read]] = defaultdict(list)
        for read in self.reads:
            found[read.request.apartment].append(read)
        return found

    def reads_of(self, apartment: str) -> list[Read]:
        """Return whole answers to reads of an apartment."""
        return self._reads_of.get(apartment, [])

    @property
    def debts(self) -> list[Read]:
        """Whole answers about debts."""
        return [read for read in self.reads if read.request.op == "utils"]

    @property
    def receipts(self) -> list[Answer]:
        """Whole receipts."""
        return [answer for answer in self.answers if answer.first.is_receipt]
