"""The history of a run, indexed: who asked what when, and what came when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tools.chaos.judge.verdict import Event

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """A request that was sent. `request_id` is None when it was not accepted, or may have been."""

    event: Event
    request_id: str | None
    outcome: Event | None

    @property
    def t(self) -> float:
        """When it began, before it was sent."""
        return float(self.event["t"])

    @property
    def user(self) -> str:
        """The sub of who sent it."""
        return str(self.event["user"])

    @property
    def op(self) -> str:
        """The operation."""
        return str(self.event["op"])

    @property
    def apartment(self) -> str:
        """The apartment in its path, empty for a login."""
        return str(self.event.get("apartment") or "")

    @property
    def is_lost(self) -> bool:
        """Whether nobody knows if it was accepted: the connection or the gateway broke."""
        status = None if self.outcome is None else self.outcome.get("status")
        return self.request_id is None and (status is None or status == 0 or status >= 500)

    @property
    def key(self) -> str | None:
        """The key of a payment: the client's, else the request's id, where that is known."""
        return self.event.get("key") or self.request_id

    @property
    def wish(self) -> tuple[str, frozenset[str], int | None]:
        """What a payment asks for: with the same key it is the same payment."""
        return self.apartment, frozenset(self.event.get("bills", [])), self.event.get("expected")


@dataclass(frozen=True)
class Reply:
    """A reply (one part) as a client got it; `request` is None where its id is not known."""

    event: Event
    request: Request | None

    @property
    def t(self) -> float:
        """When a client had it."""
        return float(self.event["t"])

    @property
    def user(self) -> str:
        """The sub of who polled."""
        return str(self.event["user"])

    @property
    def body(self) -> Mapping[str, Any]:
        """The reply."""
        body: Mapping[str, Any] = self.event["reply"]
        return body

    @property
    def request_id(self) -> str:
        """Whom it answers."""
        return str(self.body["request_id"])

    @property
    def status(self) -> str:
        """One of done, rejected, failed."""
        return str(self.body["status"])

    @property
    def data(self) -> Mapping[str, Any]:
        """Its data, empty when there are none."""
        return self.body.get("data") or {}

    @property
    def version(self) -> Any:
        """Version of the books that it was read at; None for all but reads."""
        return self.data.get("version")


@dataclass(frozen=True)
class Read:
    """A whole answer to a read: all parts of one request at one version."""

    request: Request
    version: int
    parts: tuple[Reply, ...]

    @property
    def t(self) -> float:
        """When the client had the last of it."""
        return max(part.t for part in self.parts)

    @property
    def events(self) -> tuple[Event, ...]:
        """What shows it."""
        return (self.request.event, *(part.event for part in self.parts))

    @property
    def debts(self) -> list[Json]:
        """The debts in all parts."""
        return [debt for part in self.parts for debt in part.data["debts"]]


@dataclass(frozen=True)
class Receipt:
    """A whole receipt as a client got it: all parts of one answer, with the lines of all."""

    parts: tuple[Reply, ...]

    @property
    def first(self) -> Reply:
        """The reply that has all but some of the lines."""
        return self.parts[0]

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """The receipt."""
        lines = [line for part in self.parts for line in part.data["lines"]]
        return {**self.first.data, "lines": lines}

    @property
    def events(self) -> tuple[Event, ...]:
        """What shows it."""
        asked = () if self.first.request is None else (self.first.request.event,)
        return (*asked, *(part.event for part in self.parts))


class History:
    """All events in the order of time."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = sorted(events, key=lambda event: float(event["t"]))

    def of(self, kind: str) -> list[Event]:
        """Return the events of a kind."""
        return self._by_kind.get(kind, [])

    @cached_property
    def _by_kind(self) -> dict[str, list[Event]]:
        found: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            found[event["e"]].append(event)
        return found

    def office(self, *actions: str) -> list[Event]:
        """Return the office's calls of some actions."""
        return [event for event in self.of("office") if event["action"] in actions]

    def phase(self, name: str) -> float | None:
        """Return when a phase was told first, None when it never was."""
        return next((float(e["t"]) for e in self.of("phase") if e["name"] == name), None)

    @cached_property
    def end(self) -> float:
        """Return when the last thing was told."""
        return float(self.events[-1]["t"]) if self.events else 0.0

    @cached_property
    def requests(self) -> list[Request]:
        """Every request that was sent."""
        outcomes = {e["id"]: e for e in [*self.of("accepted"), *self.of("not_accepted")]}
        return [
            Request(event, (outcomes.get(event["id"]) or {}).get("request_id"), outcome)
            for event in self.of("invoke")
            for outcome in [outcomes.get(event["id"])]
        ]

    @cached_property
    def accepted(self) -> dict[str, Request]:
        """Accepted requests by request id."""
        return {one.request_id: one for one in self.requests if one.request_id is not None}

    @cached_property
    def replies(self) -> list[Reply]:
        """Every reply that a client got, again and again if it came again."""
        return [
            Reply(event, self.accepted.get(event["reply"]["request_id"]))
            for event in self.of("reply")
        ]

    @cached_property
    def payments(self) -> list[Request]:
        """Every payment request that was sent."""
        return [one for one in self.requests if one.op == "payments"]

    @cached_property
    def attempts(self) -> dict[tuple[str, str], list[Request]]:
        """Payment requests by (user, key), in order of time."""
        found: dict[tuple[str, str], list[Request]] = defaultdict(list)
        for one in self.payments:
            if one.key is not None:
                found[one.user, one.key].append(one)
        return found

    @cached_property
    def lost_wishes(self) -> dict[str, list[Request]]:
        """Payment requests without a key that may have been accepted, by user."""
        found: dict[str, list[Request]] = defaultdict(list)
        for one in self.payments:
            if one.is_lost and one.event.get("key") is None:
                found[one.user].append(one)
        return found

    def candidates(self, reply: Reply) -> list[Request]:
        """Return the requests with unknown outcome that a reply of an unknown id may answer."""
        place = reply.event["queue_name"], reply.body["operation"]
        return [
            one
            for one in self.requests
            if one.is_lost and one.t < reply.t and (one.event["queue_name"], one.op) == place
        ]

    @cached_property
    def reads(self) -> list[Read]:
        """Whole answers to reads that were done, the first of each (request, version)."""
        sets: dict[tuple[str, int], dict[int, Reply]] = defaultdict(dict)
        for reply in self.replies:
            if reply.status == "done" and reply.version is not None and reply.request is not None:
                sets[reply.request_id, reply.version].setdefault(reply.body["part"], reply)
        return [
            Read(parts[1].request, version, tuple(parts[n] for n in sorted(parts)))
            for (_, version), parts in sets.items()
            if 1 in parts and len(parts) == parts[1].body["parts"]
            if parts[1].request is not None
        ]

    @cached_property
    def receipts(self) -> list[Receipt]:
        """Whole receipts, in the order in which they began; what comes again is one of its own."""
        found: list[Receipt] = []
        open_sets: dict[str, dict[int, Reply]] = defaultdict(dict)
        for reply in self.replies:
            if reply.status == "done" and reply.body["operation"] == "payments":
                parts = open_sets[reply.request_id]
                parts[reply.body["part"]] = reply
                if len(parts) == reply.body["parts"]:
                    found.append(Receipt(tuple(parts[number] for number in sorted(parts))))
                    del open_sets[reply.request_id]
        return found

    @cached_property
    def debts(self) -> list[Read]:
        """Whole answers about debts."""
        return [read for read in self.reads if read.request.op == "utils"]
