"""I5: every accepted request is answered or dead; answers agree, and say no for a reason."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

from tools.chaos.checker.history import Read, Reply, Request
from tools.chaos.checker.result import Facts, Finding, finding
from tools.chaos.checker.run_record import RunRecord, request_ids

# Depends on the moment of an answer and not on the ledger.
_OF_THE_MOMENT = ("as_of", "days_overdue")


def request_answered(run: RunRecord) -> Facts:
    """I5: see the module."""
    yield from _all_answered(run)
    # `failed` is no answer yet.
    yield from _agree(
        "one payment request was answered in two ways",
        (
            ((request.user, request.key, request.content, reply.body["part"]), reply)
            for reply in run.history.replies
            for request in [reply.request]
            if request is not None and request.op == "payments" and reply.status != "failed"
        ),
    )
    yield from _agree(
        "one read was answered in two ways at one version",
        (
            ((reply.request_id, reply.version, reply.body["part"]), reply)
            for reply in run.history.replies
            if reply.version is not None
        ),
    )
    yield from _versions_agree(run)
    for reply in run.history.replies:
        if reply.status == "rejected" and reply.request is not None:
            yield finding(_missing_cause(run, reply, reply.request), reply)


def _all_answered(run: RunRecord) -> Facts:
    done = _whole_answers(run) | run.dead
    waiting = request_ids(run.final.get("waiting", []))
    for request_id, request in run.history.accepted.items():
        if not _needs_an_answer(run, request):
            continue
        where = "still waits in its queue" if request_id in waiting else "is nowhere any more"
        text = f"request {request_id} ({request.op}) was accepted, never answered, and {where}"
        yield finding(None if request_id in done else text, request)


def _needs_an_answer(run: RunRecord, request: Request) -> bool:
    """Logins have no dead-letter queue: one that comes during faults may be dropped."""
    faults_end = run.history.phase("faults_end")
    if request.op != "auth" or run.history.phase("faults_begin") is None:
        return True
    return faults_end is not None and request.t > faults_end


def _whole_answers(run: RunRecord) -> set[str]:
    """Return the requests all of whose parts came, or lie in a reply queue."""
    parts: dict[tuple[str, Any], set[int]] = defaultdict(set)
    whole = set()
    for body in _bodies(run):
        version = (body.get("data") or {}).get("version")
        parts[body["request_id"], version].add(body["part"])
        if len(parts[body["request_id"], version]) == body["parts"]:
            whole.add(body["request_id"])
    return whole


def _bodies(run: RunRecord) -> Iterator[Mapping[str, Any]]:
    yield from (reply.body for reply in run.history.replies)
    for queue in run.final.get("replies", []):
        yield from queue["replies"]


def _agree(text: str, replies: Iterable[tuple[Hashable, Reply]]) -> Facts:
    """Replies with the same key are equal, but for what depends on the moment."""
    first_of: dict[Hashable, Reply] = {}
    for key, reply in replies:
        first = first_of.setdefault(key, reply)
        if _lasting(reply) == _lasting(first):
            yield None
        else:
            events = (*first.events, *reply.events)
            yield Finding(f"{text}: {_said(first)}, {_said(reply)}", first.request_id, events)


def _said(reply: Reply) -> str:
    return str(reply.body.get("code") or reply.data.get("receipt_number") or reply.status)


def _lasting(reply: Reply) -> str:
    fields = ("status", "code", "message", "part", "parts", "data")
    return _json({name: reply.body.get(name) for name in fields})


def _json(value: Any) -> str:
    return json.dumps(_without_moment(value), sort_keys=True)


def _without_moment(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_moment(v) for k, v in value.items() if k not in _OF_THE_MOMENT}
    if isinstance(value, list):
        return [_without_moment(one) for one in value]
    return value


def _versions_agree(run: RunRecord) -> Facts:
    """Whoever reads the debts of an apartment at a version is shown the same."""
    first_of: dict[tuple[str, int], Read] = {}
    for read in run.history.debts:
        first = first_of.setdefault((read.request.apartment, read.version), read)
        if _content(first) == _content(read):
            yield None
        else:
            text = f"two reads at version {read.version} of an apartment show different debts"
            yield Finding(text, read.request_id, (*first.events, *read.events))


def _content(read: Read) -> str:
    debts = sorted(read.rows("debts"), key=lambda debt: str(debt["bill_id"]))
    return _json({**read.first.data, "debts": debts})


# Whether a rejection had its reason ---------------------------------------------------------------

# From the first time that the same was requested, as a rejection is stored, to the reply.
_Span = tuple[float, float]


def _missing_cause(run: RunRecord, reply: Reply, request: Request) -> str | None:
    code = str(reply.body["code"])
    if request.op == "auth":
        is_right = code == "invalid_credentials" and request.event.get("login") == "wrong"
        return None if is_right else f"a right login was rejected: {code}"
    cause = _CAUSES.get(code)
    if cause is None:
        return f"a well-formed request was rejected: {code}"
    same = [one.t for one in run.history.same_key(request) if one.content == request.content]
    if cause(run, reply, request, (min([request.t, *same]), reply.t)):
        return None
    return f"rejected with {code}, which was not so at any time: {reply.data or ''}"


def _known_bills(run: RunRecord, request: Request) -> list[str]:
    return [bill for bill in request.event["bills"] if bill in run.ledger.bills]


def _named_bills(reply: Reply, request: Request) -> list[str]:
    """Return the bills that a rejection names; none where the request didn't have them."""
    named = reply.data.get("bills") or []
    return named if set(named) <= set(request.event["bills"]) else []


def _no_resident(run: RunRecord, _reply: Reply, request: Request, span: _Span) -> bool:
    return not run.stays.is_certain(request.user, request.apartment, *span)


def _foreign_bill(run: RunRecord, _reply: Reply, request: Request, _span: _Span) -> bool:
    bills = request.event["bills"]
    return any(run.ledger.apartment(bill) != request.apartment for bill in bills)


def _bills_void(run: RunRecord, reply: Reply, request: Request, _span: _Span) -> bool:
    named = set(_named_bills(reply, request))
    return bool(named) and named <= run.ledger.gone


def _bills_paid(run: RunRecord, reply: Reply, request: Request, span: _Span) -> bool:
    named = _named_bills(reply, request)
    return bool(named) and all(_was_paid(run, bill, span) for bill in named)


def _was_paid(run: RunRecord, bill_id: str, span: _Span) -> bool:
    """Whether some payment of a bill may have stood in the span."""
    for line in run.ledger.lines_of_bill.get(bill_id, []):
        payment_id = str(line["payment_id"])
        may_begin = min((one.t for one in run.requests_for(payment_id)), default=0.0)
        if may_begin <= span[1] and span[0] <= run.reversed_by(payment_id):
            return True
    return False


def _total_differs(run: RunRecord, _reply: Reply, request: Request, _span: _Span) -> bool:
    bills = _known_bills(run, request)
    total = sum(run.ledger.bills[bill]["amount_minor"] for bill in bills)
    return request.event["expected"] not in (None, total)


def _currencies_differ(run: RunRecord, _reply: Reply, request: Request, _span: _Span) -> bool:
    return len({run.ledger.bills[bill]["currency"] for bill in _known_bills(run, request)}) > 1


def _key_reused(run: RunRecord, _reply: Reply, request: Request, span: _Span) -> bool:
    same = run.history.same_key(request)
    return any(one.content != request.content and one.t <= span[1] for one in same)


_CAUSES: dict[str, Callable[[RunRecord, Reply, Request, _Span], bool]] = {
    "apartment_not_found": _no_resident,
    "bill_not_found": _foreign_bill,
    "bill_void": _bills_void,
    "bill_already_paid": _bills_paid,
    "total_changed": _total_differs,
    "currency_mixed": _currencies_differ,
    "idempotency_key_reused": _key_reused,
    # May come whenever a resident's view of the history moved: the client starts anew.
    "history_frame_unknown": lambda *_: True,
}
