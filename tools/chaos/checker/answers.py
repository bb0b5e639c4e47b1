"""I5: every accepted request is answered or dead; answers agree, and say no for a reason."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from tools.chaos.checker.history import Reply, Request
from tools.chaos.checker.rejections import missing_cause
from tools.chaos.checker.result import Facts, Finding, finding
from tools.chaos.checker.run_record import RunRecord, request_ids

# Depends on the moment of an answer and not on the ledger.
_OF_THE_MOMENT = ("as_of", "today", "days_overdue")
# What faults leave behind: workers that start anew, a database that recovers.
_AFTERMATH_SECONDS = 8.0


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
    for reply in run.history.replies:
        if reply.status == "rejected" and reply.request is not None:
            yield finding(missing_cause(run, reply, reply.request), reply)


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
    for reply in run.history.replies:
        if reply.status != "failed" or _may_have_failed(run, reply):
            parts[reply.request_id, reply.version].add(reply.body["part"])
            if len(parts[reply.request_id, reply.version]) == reply.body["parts"]:
                whole.add(reply.request_id)
    return whole


def _may_have_failed(run: RunRecord, reply: Reply) -> bool:
    """Whether a fault was active, or just over, between a request and its reply."""
    begin = reply.t if reply.request is None else reply.request.t
    faults = run.history.faults
    return any(one.meets(begin, reply.t, rest=_AFTERMATH_SECONDS) for one in faults)


def _agree(text: str, answers: Iterable[tuple[Hashable, str, Reply]]) -> Facts:
    """Answers (key, content, source) with the same key have the same content."""
    first_of: dict[Hashable, tuple[str, Reply]] = {}
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
