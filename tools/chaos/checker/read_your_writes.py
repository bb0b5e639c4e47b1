"""I9: a read that starts after something was answered shows it done, whatever Redis does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tools.chaos.checker.history import Event, Read
from tools.chaos.checker.result import Facts, Finding
from tools.chaos.checker.run_record import RunRecord, imported_lines

_NEVER = float("inf")


@dataclass(frozen=True)
class _Interval:
    """A bill that was known at `t` to be no debt, until it may have become one again."""

    t: float
    bill_id: str
    why: str
    until: float
    events: tuple[Event, ...]


def paid_is_no_debt(run: RunRecord) -> Facts:
    """I9: see the module. Versions that go back show the same fault before a bill does."""
    gone: dict[str, list[_Interval]] = defaultdict(list)
    for one in [*_paid(run), *_withdrawn(run)]:
        gone[run.ledger.apartment(one.bill_id)].append(one)
    for read in run.history.debts:
        yield from _shows_none_of(read, gone[read.request.apartment])
    yield from _versions_never_go_back(run)


def _paid(run: RunRecord) -> Iterator[_Interval]:
    for reply in run.history.replies:
        if reply.is_receipt:
            until = run.reversed_from(reply.data["payment_id"])
            for line in reply.data["lines"]:
                yield _Interval(reply.t, line["bill_id"], "paid", until, reply.events)


def _withdrawn(run: RunRecord) -> Iterator[_Interval]:
    """Bills that operators withdrew or corrected; they never come back."""
    for call in run.history.operators("void"):
        if (call["answer"] or {}).get("status") == "done":
            yield _Interval(float(call["t"]), call["args"]["bill_id"], "withdrawn", _NEVER, (call,))
    for call in run.history.operators("issue"):
        for line in imported_lines(call):
            bill = run.ledger.bills.get(line["bill_id"])
            if line["result"] == "revised" and bill is not None:
                yield _Interval(
                    float(call["t"]), str(bill["replaces"]), "corrected", _NEVER, (call,)
                )


def _shows_none_of(read: Read, gone: list[_Interval]) -> Facts:
    shown = {debt["bill_id"] for debt in read.rows("debts")}
    for one in gone:
        if one.t >= read.request.t:
            continue
        if one.bill_id not in shown or one.until < read.t:
            yield None
            continue
        text = (
            f"bill {one.bill_id} was {one.why} at {one.t:.3f} s, and is a debt in a read that"
            f" began at {read.request.t:.3f} s"
        )
        events = (*one.events, *read.events)
        yield Finding(text, read.request_id, events, frozenset({one.bill_id}))


def _versions_never_go_back(run: RunRecord) -> Facts:
    """A read that starts after another's answer is at its version or a later one."""
    ended = sorted(run.history.reads, key=lambda read: read.t, reverse=True)
    newest: dict[str, Read] = {}
    for read in sorted(run.history.reads, key=lambda read: read.request.t):
        while ended and ended[-1].t < read.request.t:
            over = ended.pop()
            known = newest.setdefault(over.request.apartment, over)
            if known.version < over.version:
                newest[over.request.apartment] = over
        before = newest.get(read.request.apartment)
        if before is None or before.version <= read.version:
            yield None
        else:
            text = f"a read shows version {read.version} after another showed {before.version}"
            yield Finding(text, read.request_id, (*before.events, *read.events))
