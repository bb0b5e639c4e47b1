"""I7: replies reach their asker alone; nobody reads or pays what was not theirs at that time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tools.chaos.judge.case import Case
from tools.chaos.judge.history import Reply, Request
from tools.chaos.judge.verdict import Event, Facts, Finding


def private(case: Case) -> Facts:
    """I7: see the module."""
    for reply in case.history.replies:
        yield _came_to_its_asker(case, reply)
        if reply.request is not None and reply.status == "done":
            yield from _was_theirs(case, reply, reply.request)
    for queue in case.final.get("replies", []):
        yield from _lies_with_its_asker(case, queue)
    for request in case.history.requests:
        if request.event.get("forged"):
            yield _was_not_believed(request)
    for payment_id in case.books.payments:
        yield from _was_paid_by_a_resident(case, payment_id)


def _came_to_its_asker(case: Case, reply: Reply) -> Finding | None:
    if reply.request is None:
        trouble = None if case.history.candidates(reply) else "nobody asked for this reply"
        return _broken(reply, trouble)
    asked = reply.request
    if (asked.user, asked.op) != (reply.user, reply.body["operation"]):
        return _broken(reply, f"the reply to {asked.user} came to {reply.user}")
    if asked.event["queue_name"] != reply.event["queue_name"]:
        return _broken(reply, "the reply came to another queue than was asked for")
    return None


def _broken(reply: Reply, text: str | None) -> Finding | None:
    if text is None:
        return None
    asked: tuple[Event, ...] = () if reply.request is None else (reply.request.event,)
    return Finding(text, reply.request_id, (*asked, reply.event))


def _lies_with_its_asker(case: Case, queue: Mapping[str, Any]) -> Facts:
    """Judge what was left in a reply queue; of a login only its queue_name is known."""
    for body in queue["replies"]:
        asked = case.history.accepted.get(body["request_id"])
        if asked is None:
            continue
        owner = queue["owner"] if asked.op != "auth" else asked.user
        if (owner, queue["queue_name"]) == (asked.user, asked.event["queue_name"]):
            yield None
        else:
            text = f"a reply to {asked.user} lies in the queue of {owner}"
            yield Finding(text, asked.request_id, (asked.event,))


def _was_not_believed(request: Request) -> Finding | None:
    if request.request_id is None:
        return None
    return Finding("a forged token was accepted", request.request_id, (request.event,))


def _was_theirs(case: Case, reply: Reply, request: Request) -> Facts:
    if request.op == "auth":
        yield _broken(reply, _login_trouble(case, reply, request))
        return
    user, apartment = request.user, request.apartment
    stays = case.stays.may_have_met(user, apartment, request.t, reply.t)
    if not stays and request.op != "payments":
        yield _broken(reply, f"{user} was shown apartment {apartment}, where they didn't live")
        return
    yield _broken(reply, next(_strange_content(case, reply, request), None))
    if request.op == "histories" and stays:
        floors = [stay.since for stay in stays]
        known = [floor for floor in floors if floor is not None]
        lowest = known if len(known) == len(floors) else case.books.sinces(user, apartment)
        yield _broken(reply, _too_early(reply, min(lowest, default="")))


def _login_trouble(case: Case, reply: Reply, request: Request) -> str | None:
    if request.event.get("login") == "wrong":
        return "a wrong password was accepted"
    if reply.data["tokens"]["sub"] != request.user:
        return f"{request.user} got a token of {reply.data['tokens']['sub']}"
    listed = {one["apartment_id"] for one in reply.data["apartments"]}
    span = request.t, reply.t
    for apartment in sorted(listed):
        if not case.stays.may_have_met(request.user, apartment, *span):
            return f"the login lists apartment {apartment}, where they didn't live"
    for apartment in case.stays.apartments(request.user):
        surely = case.stays.surely_covered(request.user, apartment, *span)
        if surely and apartment not in listed:
            return f"the login doesn't list apartment {apartment}, where they live"
    return None


def _strange_content(case: Case, reply: Reply, request: Request) -> Iterator[str]:
    """Name bills in an answer that are of another apartment."""
    if reply.data.get("apartment_id", request.apartment) != request.apartment:
        yield f"the answer is about apartment {reply.data['apartment_id']}"
    for row in _rows(reply):
        bill = case.books.bills.get(row["bill_id"])
        if bill is None or bill["apartment_id"] != request.apartment:
            yield f"the answer shows bill {row['bill_id']}, which is not of this apartment"


def _rows(reply: Reply) -> list[Mapping[str, Any]]:
    names = ("debts", "settled_debts", "lines")
    return [row for name in names for row in reply.data.get(name, [])]


def _too_early(reply: Reply, floor: str) -> str | None:
    """Say what of a history was shown from before the resident may see it."""
    if reply.data["covered"]["date_down"] < floor:
        return f"a frame from {reply.data['covered']['date_down']} for a resident since {floor}"
    for event in reply.data["settled_debts"]:
        if event["posted_at"] < floor:
            return f"an event of {event['posted_at']} for a resident since {floor}"
    return None


def _was_paid_by_a_resident(case: Case, payment_id: str) -> Facts:
    """Judge the payments of people whose every request was recorded."""
    payment = case.books.payments[payment_id]
    user, apartment = case.books.payer(payment), payment["apartment_id"]
    for line in case.books.lines.get(payment_id, []):
        bill = case.books.bills.get(line["bill_id"], {})
        if bill.get("apartment_id") != apartment:
            yield _payment(payment_id, f"pays a bill of another apartment, {line['bill_id']}")
    if user not in case.people:
        return
    asked = case.askers(payment_id)
    if not asked:
        yield _payment(payment_id, f"of {user} was asked for by nobody")
    elif not case.stays.may_have_met(user, apartment, asked[0].t, _known_at(case, payment_id)):
        yield _payment(payment_id, f"is by {user}, who didn't live in {apartment}", asked)
    else:
        yield None


def _known_at(case: Case, payment_id: str) -> float:
    place = case.books.payments[payment_id]["apartment_id"]
    told = (one.t for one in case.receipts.get(place, []) if one.data["payment_id"] == payment_id)
    return next(told, case.history.end)


def _payment(payment_id: str, text: str, asked: list[Request] | None = None) -> Finding:
    events = tuple(one.event for one in asked or [])
    request_id = asked[0].request_id if asked else None
    return Finding(f"payment {payment_id} {text}", request_id, events, frozenset({payment_id}))
