"""I5: every accepted request is answered or dead; answers agree, and say no for a reason."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tools.chaos.judge.case import Case
from tools.chaos.judge.history import Read, Reply, Request
from tools.chaos.judge.rejections import missing_cause
from tools.chaos.judge.verdict import Facts, Finding

# What follows from the moment of an answer and not from the books.
_OF_THE_MOMENT = ("as_of", "days_overdue")


def request_answered(case: Case) -> Facts:
    """I5: see the module."""
    yield from _all_answered(case)
    yield from _payments_agree(case)
    yield from _parts_agree(case)
    yield from _versions_agree(case)
    for reply in case.history.replies:
        if reply.status == "rejected" and reply.request is not None:
            yield _rejection_has_a_cause(case, reply, reply.request)


def _all_answered(case: Case) -> Facts:
    answered = _whole_answers(case)
    waiting = _request_ids(case.final.get("waiting", []))
    for request_id, request in case.history.accepted.items():
        if not _is_owed_an_answer(case, request):
            continue
        if request_id in answered | case.dead:
            yield None
            continue
        where = "still waits in its queue" if request_id in waiting else "is nowhere any more"
        yield Finding(
            f"request {request_id} ({request.op}) was accepted, never answered, and {where}",
            request_id,
            tuple(event for event in (request.event, request.outcome) if event),
        )


def _is_owed_an_answer(case: Case, request: Request) -> bool:
    """Logins have no dead-letter queue: one that comes while faults strike may be dropped."""
    faults_ended = case.history.phase("faults_end")
    if request.op != "auth" or case.history.phase("faults_begin") is None:
        return True
    return faults_ended is not None and request.t > faults_ended


def _request_ids(letters: list[Mapping[str, Any]]) -> set[str]:
    return {str(letter["attributes"].get("request_id")) for letter in letters}


def _whole_answers(case: Case) -> set[str]:
    """Return the requests all of whose parts came, or lie in a reply queue."""
    parts: dict[tuple[str, Any], set[int]] = defaultdict(set)
    whole = set()
    for body in _bodies(case):
        version = (body.get("data") or {}).get("version")
        parts[body["request_id"], version].add(body["part"])
        if len(parts[body["request_id"], version]) == body["parts"]:
            whole.add(body["request_id"])
    return whole


def _bodies(case: Case) -> Iterator[Mapping[str, Any]]:
    yield from (reply.body for reply in case.history.replies)
    for queue in case.final.get("replies", []):
        yield from queue["replies"]


def _payments_agree(case: Case) -> Facts:
    """All answers to one wish under one key are equal, but for `failed`: that is none."""
    answers: dict[Any, list[Reply]] = defaultdict(list)
    for reply in case.history.replies:
        request = reply.request
        if request is not None and request.op == "payments" and reply.status != "failed":
            answers[request.user, request.key, request.wish, reply.body["part"]].append(reply)
    for replies in answers.values():
        yield from _are_equal(replies, "one payment request was answered in two ways")


def _parts_agree(case: Case) -> Facts:
    """All answers to one read at one version are equal, part by part."""
    answers: dict[Any, list[Reply]] = defaultdict(list)
    for reply in case.history.replies:
        if reply.version is not None:
            answers[reply.request_id, reply.version, reply.body["part"]].append(reply)
    for replies in answers.values():
        yield from _are_equal(replies, "one read was answered in two ways at one version")


def _are_equal(replies: list[Reply], text: str) -> Facts:
    first = replies[0]
    yield None
    for other in replies[1:]:
        if _lasting(other) == _lasting(first):
            yield None
        else:
            asked = tuple(one.request.event for one in (first, other) if one.request)
            events = (*asked, first.event, other.event)
            yield Finding(f"{text}: {_short(first)}, {_short(other)}", first.request_id, events)


def _short(reply: Reply) -> str:
    return str(reply.body.get("code") or reply.data.get("receipt_number") or reply.status)


def _lasting(reply: Reply) -> str:
    """Write what must not differ between two answers."""
    shown = {name: reply.body[name] for name in ("status", "code", "message", "part", "parts")}
    return json.dumps({**shown, "data": _without_moment(reply.body.get("data"))}, sort_keys=True)


def _without_moment(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_moment(v) for k, v in value.items() if k not in _OF_THE_MOMENT}
    if isinstance(value, list):
        return [_without_moment(one) for one in value]
    return value


def _versions_agree(case: Case) -> Facts:
    """Whoever reads the debts of an apartment at a version is shown the same."""
    seen: dict[tuple[str, int], Read] = {}
    for read in case.history.debts:
        first = seen.setdefault((read.request.apartment, read.version), read)
        if _content(first) == _content(read):
            yield None
        else:
            text = f"two reads at version {read.version} of an apartment show different debts"
            yield Finding(text, read.request.request_id, (*first.events, *read.events))


def _content(read: Read) -> str:
    rows = sorted(read.debts, key=lambda debt: str(debt["bill_id"]))
    totals = {k: v for k, v in read.parts[0].data.items() if k != "debts"}
    return json.dumps(_without_moment({"debts": rows, "totals": totals}), sort_keys=True)


def _rejection_has_a_cause(case: Case, reply: Reply, request: Request) -> Finding | None:
    """A rejection for a reason that was never true is no answer."""
    trouble = missing_cause(case, reply, request)
    if trouble is None:
        return None
    return Finding(trouble, reply.request_id, (request.event, reply.event))
