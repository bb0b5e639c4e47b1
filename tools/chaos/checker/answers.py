"""I5: every accepted request is answered or dead; answers agree, and say no for a reason."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from tools.chaos.checker.history import Answer, Read, Reply, Request
from tools.chaos.checker.result import Facts, Finding, finding
from tools.chaos.checker.run_record import RunRecord, request_ids

# As the ledger has it.
_MAX_REJECTIONS = 200
# Depends on the moment of an answer and not on the ledger.
_OF_THE_MOMENT = ("as_of", "today", "days_overdue")


def request_answered(run: RunRecord) -> Facts:
    """I5: see the module."""
    yield from _all_answered(run)
    yield from _agree("one payment request was answered in two ways", _answers_to_payments(run))
    yield from _agree(
        "one read was answered in two ways at one version",
        (
            ((reply.request_id, reply.version, reply.body["part"]), _lasting(reply), reply)
            for reply in run.history.replies
            if reply.version is not None
        ),
    )
    yield from _agree(
        "two reads of an apartment at one version show different debts",
        (
            ((read.request.apartment, read.version), _content(read), read)
            for read in run.history.debts
        ),
    )
    for reply in run.history.replies:
        if reply.status == "rejected" and reply.request is not None:
            yield finding(_missing_cause(run, reply, reply.request), reply)


def _all_answered(run: RunRecord) -> Facts:
    done = _whole_answers(run) | request_ids(run.final.get("dead_letters", []))
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


def _agree(text: str, answers: Iterable[tuple[Hashable, str, Reply | Answer]]) -> Facts:
    """Answers (key, content, source) with the same key have the same content."""
    first_of: dict[Hashable, tuple[str, Reply | Answer]] = {}
    for key, content, answer in answers:
        expected, first = first_of.setdefault(key, (content, answer))
        events = (*first.events, *answer.events)
        yield None if content == expected else Finding(text, answer.request_id, events)


def _answers_to_payments(run: RunRecord) -> Iterator[tuple[Hashable, str, Reply]]:
    for reply in run.history.replies:
        asked = reply.request
        # `failed` is no answer yet.
        if asked is not None and asked.op == "payments" and reply.status != "failed":
            key = asked.user, asked.key, asked.content, reply.body["part"]
            yield key, _lasting(reply), reply


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
    causes = _causes(run, reply, request)
    if code not in causes:
        return f"a well-formed request was rejected: {code}"
    text = f"rejected with {code}, which was not so at any time: {reply.data or ''}"
    return None if causes[code] else text


def _causes(run: RunRecord, reply: Reply, request: Request) -> dict[str, bool]:
    """Return whether a request may have been rejected, by code."""
    same_key = run.history.same_key(request)
    span = min([request.t, *(o.t for o in same_key if o.content == request.content)]), reply.t
    asked = set(request.event["bills"])
    bills = [run.ledger.bills[bill] for bill in asked if bill in run.ledger.bills]
    named = set(reply.data.get("bills") or [])
    names_its_own = bool(named) and named <= asked
    total = sum(bill["amount_minor"] for bill in bills)
    return {
        "apartment_not_found": not run.stays.is_certain(request.user, request.apartment, *span),
        "bill_not_found": any(run.ledger.apartment(bill) != request.apartment for bill in asked),
        "bill_void": names_its_own and named <= run.ledger.gone,
        "bill_already_paid": names_its_own and all(_was_paid(run, bill, span) for bill in named),
        "total_changed": request.event["expected"] not in (None, total),
        "currency_mixed": len({bill["currency"] for bill in bills}) > 1,
        "idempotency_key_reused": any(
            one.content != request.content and one.t <= reply.t for one in same_key
        ),
        "too_many_rejections": run.ledger.rejections(request.user) >= _MAX_REJECTIONS,
        # May come whenever a resident's view of the history moved: the client starts anew.
        "history_frame_unknown": True,
    }


def _was_paid(run: RunRecord, bill_id: str, span: _Span) -> bool:
    """Whether some payment of a bill may have stood in the span."""
    for line in run.ledger.lines_of_bill.get(bill_id, []):
        payment_id = str(line["payment_id"])
        may_begin = min((one.t for one in run.requests_for(payment_id)), default=0.0)
        if may_begin <= span[1] and span[0] <= run.reversed_by(payment_id):
            return True
    return False
