"""All that the judge looks at: the history of a run, the books after it, queues and logs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tools.chaos.judge.books import Books
from tools.chaos.judge.history import History, Reply, Request
from tools.chaos.judge.residency import Stays
from tools.chaos.judge.verdict import Event


@dataclass(frozen=True)
class Case:
    """History and final evidence. `logs` are texts by name, `secrets` objects of kind and value."""

    history: History
    books: Books
    final: Mapping[str, Any] = field(default_factory=dict)
    logs: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[Mapping[str, str]] = ()

    @cached_property
    def stays(self) -> Stays:
        """Who was at home where and when."""
        steps = [float(e["t"]) for e in self.history.of("fault") if e["name"] == "clock_back"]
        return Stays(self.history.office("grant", "end"), clock_steps=steps)

    @cached_property
    def dead(self) -> set[str]:
        """Ids of the requests in a dead-letter queue."""
        return {
            str(letter["attributes"].get("request_id"))
            for letter in self.final.get("dead_letters", [])
        }

    @cached_property
    def people(self) -> set[str]:
        """Subs of those whose doings were recorded: the judge knows all that they asked for."""
        return {one.user for one in self.history.requests}

    @cached_property
    def homes(self) -> set[str]:
        """Apartments all of whose changes were recorded."""
        return {event["args"]["apartment"] for event in self.history.office("add_apartment")}

    @cached_property
    def never_paid(self) -> dict[str, list[tuple[float, str]]]:
        """(known to be issued at, bill) of bills that were open ever after, by apartment."""
        found: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for event in self.history.office("issue"):
            for bill_id in _issued(event):
                if bill_id in self.books.open and not self.books.lines_of_bill.get(bill_id):
                    found[self.books.place(bill_id)].append((float(event["t"]), bill_id))
        return found

    @cached_property
    def receipts(self) -> dict[str, list[Reply]]:
        """Replies that said "paid", by the apartment of what was paid, in order of time."""
        found: dict[str, list[Reply]] = defaultdict(list)
        for reply in self.history.replies:
            if reply.status == "done" and reply.body["operation"] == "payments":
                place = self.books.payments.get(reply.data["payment_id"], {}).get("apartment_id")
                found[str(place)].append(reply)
        return found

    def may_be_reversed_from(self, payment_id: str) -> float:
        """Return when a payment's reversal may first have happened; never is infinite."""
        if payment_id not in self.books.reversals:
            return float("inf")
        return min((float(e["t0"]) for e in self.reversals_of(payment_id)), default=0.0)

    def is_reversed_by(self, payment_id: str) -> float:
        """Return by when a payment's reversal was known to have happened; never is infinite."""
        if payment_id not in self.books.reversals:
            return float("inf")
        known = [float(e["t"]) for e in self.reversals_of(payment_id) if e["answer"]]
        return min(known, default=float("inf"))

    def reversals_of(self, payment_id: str) -> list[Event]:
        """Return the office's calls that were to reverse a payment."""
        return self._reversals.get(payment_id, [])

    @cached_property
    def _reversals(self) -> dict[str, list[Event]]:
        found: dict[str, list[Event]] = {}
        for event in self.history.office("reverse"):
            found.setdefault(event["args"]["payment_id"], []).append(event)
        return found

    def askers(self, payment_id: str) -> list[Request]:
        """Return the requests that may have made a payment, in order of time."""
        owner = self.books.request_of(payment_id)
        if owner is None:
            return []
        return self.history.attempts.get(owner) or self.history.lost_wishes.get(owner[0], [])

    def may_be_paid_from(self, payment_id: str) -> float:
        """Return when a payment may first have happened."""
        return min((one.t for one in self.askers(payment_id)), default=0.0)


def _issued(event: Event) -> list[str]:
    """Return the bills that stand after an import."""
    lines = ((event["answer"] or {}).get("data") or {}).get("lines", [])
    return [line["bill_id"] for line in lines if line["bill_id"] and line["result"] != "rejected"]


def load(history: Path, final: Path) -> Case:
    """Read a run's files; `final` names log files and secrets beside it."""
    content = json.loads(final.read_text("utf-8"))
    secrets = final.parent / content.get("secrets", "secrets.jsonl")
    return Case(
        history=History(_lines(history)),
        books=Books(content["books"]),
        final=content,
        logs={
            name: (final.parent / name).read_text("utf-8", "replace")
            for name in content.get("logs", [])
        },
        secrets=_lines(secrets),
    )


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
