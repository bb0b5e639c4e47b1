"""I9: a read that starts after something was answered shows it done, whatever Redis does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from tools.chaos.judge.case import Case
from tools.chaos.judge.history import Read, Reply
from tools.chaos.judge.verdict import Event, Facts, Finding


@dataclass(frozen=True)
class Gone:
    """A bill that was known at `t` to be no debt, until it may have become one again."""

    t: float
    bill_id: str
    why: str
    until: float
    events: tuple[Event, ...]


def paid_is_no_debt(case: Case) -> Facts:
    """I9: see the module. Versions that go back show the same fault before a bill does."""
    gone: dict[str, list[Gone]] = defaultdict(list)
    for one in [*_paid(case), *_withdrawn(case)]:
        gone[case.books.place(one.bill_id)].append(one)
    for read in case.history.debts:
        yield from _shows_none_of(read, gone[read.request.apartment])
    yield from _versions_never_go_back(case)


def _paid(case: Case) -> list[Gone]:
    return [
        Gone(reply.t, line["bill_id"], "paid", until, _events(reply))
        for reply in case.history.replies
        if reply.status == "done" and reply.body["operation"] == "payments"
        for until in [case.may_be_reversed_from(reply.data["payment_id"])]
        for line in reply.data["lines"]
    ]


def _events(reply: Reply) -> tuple[Event, ...]:
    return (reply.event,) if reply.request is None else (reply.request.event, reply.event)


def _withdrawn(case: Case) -> list[Gone]:
    """Bills that the office withdrew or corrected; they never come back."""
    never = float("inf")
    voided = [
        Gone(float(call["t"]), call["args"]["bill_id"], "withdrawn", never, (call,))
        for call in case.history.office("void")
        if (call["answer"] or {}).get("status") == "done"
    ]
    corrected = [
        Gone(float(call["t"]), bill_id, "corrected", never, (call,))
        for call in case.history.office("issue")
        for bill_id in _replaced(case, call)
    ]
    return [*voided, *corrected]


def _replaced(case: Case, call: Event) -> list[str]:
    lines: list[Mapping[str, str]] = ((call["answer"] or {}).get("data") or {}).get("lines", [])
    revised = [line["bill_id"] for line in lines if line["result"] == "revised"]
    return [str(case.books.bills[b]["replaces"]) for b in revised if b in case.books.bills]


def _shows_none_of(read: Read, gone: list[Gone]) -> Facts:
    shown = {debt["bill_id"] for debt in read.debts}
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
        about = frozenset({one.bill_id})
        yield Finding(text, read.request.request_id, (*one.events, *read.events), about)


def _versions_never_go_back(case: Case) -> Facts:
    """A read that starts after another's answer is at its version or a later one."""
    ended = sorted(case.history.reads, key=lambda read: read.t)
    newest: dict[str, Read] = {}
    position = 0
    for read in sorted(case.history.reads, key=lambda read: read.request.t):
        while position < len(ended) and ended[position].t < read.request.t:
            _keep_newest(newest, ended[position])
            position += 1
        before = newest.get(read.request.apartment)
        if before is None or before.version <= read.version:
            yield None
        else:
            text = f"a read shows version {read.version} after another showed {before.version}"
            events = (*before.events, *read.events)
            yield Finding(text, read.request.request_id, events)


def _keep_newest(newest: dict[str, Read], read: Read) -> None:
    apartment = read.request.apartment
    if apartment not in newest or newest[apartment].version < read.version:
        newest[apartment] = read
