"""The changes of each apartment, rebuilt from the ledger's tables, and when each can have happened.

A change is one transaction; it raises the apartment's version by one. When it happened is known in
two ways: in seconds of the run, by those who asked for it and those who were told of it, and in
versions, by the changes that were certainly before or after it. Both hold whatever a clock says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tools.chaos.checker import rebuilt
from tools.chaos.checker.history import NEVER, Event, History, Read, Request, happened, told_done
from tools.chaos.checker.ledger import Ledger, Row, grouped

# From when a change may have happened, and from when it certainly had.
_Window = tuple[float, float]


@dataclass(frozen=True)
class Change:
    """A change: what it `opens` is owed from then on, what it `closes` is not.

    It happened after `begins` and was `known` to somebody later, both in seconds of the run, and
    made a version between `first` and `last`. `events` are what the history shows of it.
    """

    kind: str
    begins: float
    known: float
    opens: frozenset[str] = frozenset()
    closes: frozenset[str] = frozenset()
    events: Sequence[Row] = ()
    first: int = 0
    last: int = 0

    def pays(self, payment_id: str) -> bool:
        """Whether it is this payment."""
        return self.kind == "payment" and self.events[0]["payment_id"] == payment_id

    def is_before(self, other: Change) -> bool:
        """Whether it certainly came before another one."""
        if self.events and other.events:
            return bool(self.events[0]["posted_at"] < other.events[0]["posted_at"])
        return self.known < other.begins

    def is_in(self, read: Read) -> bool:
        """Whether a read certainly shows it: by its version, or as it began after that."""
        return self.last <= read.version or self.known < read.request.t

    def may_be_in(self, read: Read) -> bool:
        """Whether a read can show it."""
        return self.first <= read.version and self.begins <= read.t


class Changes:
    """The changes of all apartments, each one's in an order in which they can have happened."""

    def __init__(self, ledger: Ledger, history: History) -> None:
        self._ledger = ledger
        self._history = history
        self.of: dict[str, list[Change]] = {}
        self._of_bill: dict[str, list[Change]] = defaultdict(list)
        for apartment in ledger.state:
            found = sorted(self._found(apartment), key=lambda one: (one.begins, one.known))
            self.of[apartment] = _with_versions(found)
            for change in self.of[apartment]:
                for bill_id in change.opens | change.closes:
                    self._of_bill[bill_id].append(change)

    def bills(self, apartment: str) -> list[str]:
        """Return all that an apartment was ever to pay."""
        return sorted({bill for change in self.of.get(apartment, []) for bill in change.opens})

    def posted(self, apartment: str) -> list[Change]:
        """Return payments and reversals in the order of the history."""
        found = [change for change in self.of.get(apartment, []) if change.events]
        return sorted(found, key=_posted_at)

    def history(self, apartment: str) -> list[Row]:
        """Return the history of an apartment as it must be, in its order."""
        return [event for change in self.posted(apartment) for event in change.events]

    def seen(self, user: str, apartment: str) -> list[Row]:
        """Return the events of the history that a user may see, once they see that time."""
        return [e for e in self.history(apartment) if self._ledger.is_shown_to(user, e)]

    def states_in(self, read: Read, bill_id: str) -> set[str]:
        """Return what a bill may be for a read."""
        return self._states(bill_id, lambda one: one.is_in(read), lambda one: one.may_be_in(read))

    def states_during(self, bill_id: str, begin: float, end: float) -> set[str]:
        """Return what a bill may be at some time of the run."""
        return self._states(bill_id, lambda one: one.known < begin, lambda one: one.begins <= end)

    def _states(
        self, bill_id: str, surely: Callable[[Change], bool], maybe: Callable[[Change], bool]
    ) -> set[str]:
        """Return what a bill may be when some changes surely have happened, and others may have.

        That is `new` before it is issued, then `open`, `paid` or `gone`.
        """
        life = self._of_bill.get(bill_id, [])
        least = max((n for n, change in enumerate(life, 1) if surely(change)), default=0)
        most = next((n for n, change in enumerate(life) if not maybe(change)), len(life))
        return {_state(life, bill_id, count) for count in range(least, max(least, most) + 1)}

    def requests_for(self, payment_id: str) -> list[Request]:
        """Return the requests that may have made a payment, in order of time."""
        owner = self._ledger.requests.get(payment_id)
        if owner is None:
            return []
        return self._history.attempts.get(owner) or self._history.lost_payments.get(owner[0], [])

    # What is a change -----------------------------------------------------------------------------

    def _found(self, apartment: str) -> Iterator[Change]:
        yield from self._imports(apartment)
        for bill_id in self._ledger.void:
            if self._ledger.apartment(bill_id) == apartment:
                window = _window(self._history.calls("void", bill_id=bill_id))
                yield Change("void", *window, closes=frozenset({bill_id}))
        yield from _in_order(self._posted(apartment))
        yield from self._residencies(apartment)

    def _imports(self, apartment: str) -> Iterator[Change]:
        """The bills of one import are issued at once; a revision closes what it replaces.

        What is reinstated is a revision, too: of the old import, and a change of its own.
        """
        bills = [b for b in self._ledger.bills.values() if b["apartment_id"] == apartment]
        again = [bill for bill in bills if bill["replaces"] in self._ledger.reinstated]
        for bill in again:
            window = _window(self._history.calls("reinstate", bill_id=bill["replaces"]))
            yield Change("reinstatement", *window, opens=frozenset({bill["bill_id"]}))
        issued_at_once = [bill for bill in bills if bill not in again]
        for import_id, rows in grouped(issued_at_once, "import_id").items():
            issued = {row["bill_id"] for row in rows}
            replaced = {row["replaces"] for row in rows if row["replaces"]}
            window = _window(self._history.imports.get(import_id, []))
            opens, closes = frozenset(issued - replaced), frozenset(replaced - issued)
            yield Change("import", *window, opens=opens, closes=closes)

    def _posted(self, apartment: str) -> Iterator[Change]:
        for payment_id, payment in self._ledger.payments.items():
            if payment["apartment_id"] == apartment:
                events = rebuilt.events(self._ledger, payment)
                bills = frozenset(event["bill_id"] for event in events)
                begins = min((one.t for one in self.requests_for(payment_id)), default=0.0)
                known = self._first_shown.get(("payment", payment_id), NEVER)
                yield Change("payment", begins, known, closes=bills, events=events)
                if at := self._ledger.reversed.get(payment_id):
                    begins, known = _window(self._history.calls("reverse", payment_id=payment_id))
                    known = min(known, self._first_shown.get(("reversal", payment_id), NEVER))
                    events = rebuilt.events(self._ledger, payment, reversed_at=at)
                    yield Change("reversal", begins, known, opens=bills, events=events)

    def _residencies(self, apartment: str) -> Iterator[Change]:
        """Which call made which row does not matter: they move the version and nothing else."""
        rows = [r for r in self._ledger.rows("residencies") if r["apartment_id"] == apartment]
        for user, own in grouped(rows, "resident_id").items():
            place = {"user": self._ledger.subjects.get(user), "apartment": apartment}
            ended = sum(row["ended_at"] is not None for row in own)
            for action, count in (("grant", len(own)), ("end", ended)):
                calls = [c for c in self._history.calls(action, **place) if happened(c)]
                exact = [_window([call]) for call in calls]
                windows = exact if len(calls) == count else [_any_of(exact)] * count
                yield from (Change(action, *window) for window in windows)

    @cached_property
    def _first_shown(self) -> dict[tuple[str, str], float]:
        """When somebody first saw a payment or its reversal, in a receipt or in the history."""
        found: dict[tuple[str, str], float] = {}
        for reply in self._history.replies:
            shown = [("payment", reply.data["payment_id"])] if reply.is_receipt else []
            rows = reply.data.get("settled_debts", [])
            for one in [*shown, *((row["event"], row["payment_id"]) for row in rows)]:
                found[one] = min(reply.t, found.get(one, NEVER))
        return found


def _state(life: Sequence[Change], bill_id: str, count: int) -> str:
    if count == 0:
        return "new"
    if bill_id in life[count - 1].opens:
        return "open"
    return "paid" if life[count - 1].kind == "payment" else "gone"


def _posted_at(change: Change) -> str:
    return str(change.events[0]["posted_at"])


def _in_order(posted: Iterable[Change]) -> list[Change]:
    """Narrow the times: each came after the one before it in the history."""
    found = sorted((one for one in posted if one.events), key=_posted_at)
    for at in range(1, len(found)):
        found[at] = replace(found[at], begins=max(found[at].begins, found[at - 1].begins))
    for at in reversed(range(1, len(found))):
        found[at - 1] = replace(found[at - 1], known=min(found[at].known, found[at - 1].known))
    return found


def _window(calls: Sequence[Event]) -> _Window:
    """Return the window of what one of some calls did; who is told that it is done knows it."""
    begins = min((float(call["t0"]) for call in calls), default=0.0)
    return begins, min((float(call["t"]) for call in calls if told_done(call)), default=NEVER)


def _any_of(windows: Sequence[_Window]) -> _Window:
    begins = min((window[0] for window in windows), default=0.0)
    return begins, max((window[1] for window in windows), default=NEVER)


def _with_versions(changes: Sequence[Change]) -> list[Change]:
    newest = 1 + len(changes)
    return [
        replace(
            one,
            first=2 + sum(other.is_before(one) for other in changes),
            last=newest - sum(one.is_before(other) for other in changes),
        )
        for one in changes
    ]
