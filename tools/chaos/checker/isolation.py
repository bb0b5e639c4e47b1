"""I7: replies reach their own user alone; nobody reads or pays what is not theirs at that time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.chaos.checker.history import Reply, Request
from tools.chaos.checker.result import Facts, Finding, finding
from tools.chaos.checker.run_record import RunRecord


def private(run: RunRecord) -> Facts:
    """I7: see the module."""
    for reply in run.history.replies:
        yield finding(_misdelivered(run, reply), reply)
        if reply.request is not None and reply.status == "done":
            yield finding(_foreign_content(run, reply, reply.request), reply)
    for queue in run.final.get("replies", []):
        yield from _queue_is_its_users(run, queue)
    for request in run.history.requests:
        if request.event.get("forged"):
            accepted = request.request_id is not None
            yield finding("a forged token was accepted" if accepted else None, request)
    for payment_id in run.ledger.payments:
        yield from _paid_by_a_resident(run, payment_id)


def _misdelivered(run: RunRecord, reply: Reply) -> str | None:
    asked = reply.request
    if asked is None:
        known = run.history.may_be_answered_by(reply)
        return None if known else "nobody sent a request for this reply"
    if (asked.user, asked.op) != (reply.user, reply.op):
        return f"the reply to {asked.user} came to {reply.user}"
    if asked.event["queue_name"] != reply.event["queue_name"]:
        return "the reply came to another queue than the request named"
    return None


def _queue_is_its_users(run: RunRecord, queue: Mapping[str, Any]) -> Facts:
    """Check what was left in a reply queue; of a login's only its queue_name is known."""
    for body in queue["replies"]:
        asked = run.history.accepted.get(body["request_id"])
        if asked is None:
            continue
        owner = queue["owner"] if asked.op != "auth" else asked.user
        is_theirs = (owner, queue["queue_name"]) == (asked.user, asked.event["queue_name"])
        text = f"a reply to {asked.user} lies in the queue of {owner}"
        yield finding(None if is_theirs else text, asked)


def _foreign_content(run: RunRecord, reply: Reply, request: Request) -> str | None:
    if request.op == "auth":
        return _login_trouble(run, reply, request)
    user, apartment = request.user, request.apartment
    stays = run.stays.possible(user, apartment, request.t, reply.t)
    if not stays and request.op != "payments":
        return f"{user} was shown apartment {apartment}, where they didn't live"
    if reply.data.get("apartment_id", apartment) != apartment:
        return f"the answer is about apartment {reply.data['apartment_id']}"
    for name in ("debts", "settled_debts", "lines"):
        for row in reply.data.get(name, []):
            if run.ledger.apartment(row["bill_id"]) != apartment:
                return f"the answer shows bill {row['bill_id']}, which is not of this apartment"
    if request.op == "histories":
        known = [stay.since for stay in stays if stay.since is not None]
        sinces = known if len(known) == len(stays) else run.ledger.sinces(user, apartment)
        return _too_early(reply, min(sinces, default=""))
    return None


def _login_trouble(run: RunRecord, reply: Reply, request: Request) -> str | None:
    if request.event.get("login") == "wrong":
        return "a wrong password was accepted"
    if reply.data["tokens"]["sub"] != request.user:
        return f"{request.user} got a token of {reply.data['tokens']['sub']}"
    listed = {one["apartment_id"] for one in reply.data["apartments"]}
    for apartment in sorted(listed):
        if not run.stays.possible(request.user, apartment, request.t, reply.t):
            return f"the login lists apartment {apartment}, where they didn't live"
    for apartment in run.stays.apartments(request.user):
        lives_there = run.stays.is_certain(request.user, apartment, request.t, reply.t)
        if lives_there and apartment not in listed:
            return f"the login doesn't list apartment {apartment}, where they live"
    return None


def _too_early(reply: Reply, floor: str) -> str | None:
    """Say what of a history was shown from before the resident may see it."""
    if reply.data["covered"]["date_down"] < floor:
        return f"a frame from {reply.data['covered']['date_down']} for a resident since {floor}"
    for event in reply.data["settled_debts"]:
        if event["posted_at"] < floor:
            return f"an event of {event['posted_at']} for a resident since {floor}"
    return None


def _paid_by_a_resident(run: RunRecord, payment_id: str) -> Facts:
    """Check the payments of users whose every request was recorded."""
    payment = run.ledger.payments[payment_id]
    user, apartment = run.ledger.subject(payment), payment["apartment_id"]
    for line in run.ledger.lines.get(payment_id, []):
        if run.ledger.apartment(line["bill_id"]) != apartment:
            text = f"payment {payment_id} pays a bill of another apartment, {line['bill_id']}"
            yield finding(text, None, payment_id)
    if user not in run.users:
        return
    asked = run.requests_for(payment_id)
    if not asked:
        yield finding(f"payment {payment_id} of {user} has no request", None, payment_id)
        return
    receipts = run.receipts.get(apartment, [])
    known_at = (one.t for one in receipts if one.data["payment_id"] == payment_id)
    span = asked[0].t, next(known_at, run.history.end)
    text = f"payment {payment_id} is by {user}, who didn't live in {apartment}"
    events = tuple(one.event for one in asked)
    broken = Finding(text, asked[0].request_id, events, frozenset({payment_id}))
    yield None if run.stays.possible(user, apartment, *span) else broken
