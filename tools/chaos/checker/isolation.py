"""I7: replies reach their own user alone; nobody reads or pays what is not theirs at that time."""

from __future__ import annotations

from collections.abc import Sequence

from tools.chaos.checker import rebuilt
from tools.chaos.checker.history import NEVER, Event, Reply, Request
from tools.chaos.checker.residency import ResidencySpan
from tools.chaos.checker.result import Facts, Finding, finding
from tools.chaos.checker.run_record import RunRecord


def private(run: RunRecord) -> Facts:
    """I7: see the module."""
    for reply in run.history.replies:
        yield finding(_misdelivered(run, reply), reply)
        if reply.request is not None and reply.status == "done":
            yield finding(_foreign_content(run, reply, reply.request), reply)
    for request in run.history.requests:
        if request.event.get("forged"):
            accepted = request.request_id is not None
            yield finding("a forged token was accepted" if accepted else None, request)
    for payment_id in run.ledger.payments:
        yield from _paid_by_a_resident(run, payment_id)
    for call in run.history.operators("grant"):
        yield finding(_grant_trouble(run, call))


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


def _foreign_content(run: RunRecord, reply: Reply, request: Request) -> str | None:
    if request.op == "auth":
        return _login_trouble(run, reply, request)
    user, apartment = request.user, request.apartment
    stays = run.stays.seen(user, apartment, request.t, reply.t)
    if not stays and request.op != "payments":
        return f"{user} was shown apartment {apartment}, where they didn't live"
    if reply.data.get("apartment_id", apartment) != apartment:
        return f"the answer is about apartment {reply.data['apartment_id']}"
    for name in ("debts", rebuilt.OTHERS, "settled_debts", "lines"):
        for row in reply.data.get(name, []):
            if run.ledger.apartment(row["bill_id"]) != apartment:
                return f"the answer shows bill {row['bill_id']}, which is not of this apartment"
    if request.op == "histories":
        return _too_early(run, reply, request, stays) or _not_theirs(run, reply, request)
    return _anothers_debt(run, reply, request)


def _anothers_debt(run: RunRecord, reply: Reply, request: Request) -> str | None:
    """Say of which bill an answer is wrong about who owes it, or tells who has left."""
    user, span = request.user, (request.t, reply.t)
    for row in reply.data.get("debts", []):
        if not _may_owe(run, user, row["bill_id"], span):
            return f"bill {row['bill_id']} is shown as a debt of {user}, whose it is not"
    lives_there = run.stays.possible(user, request.apartment, *span)
    for row in reply.data.get(rebuilt.OTHERS, []):
        if not lives_there or run.ledger.owes(user, row["bill_id"]):
            return f"bill {row['bill_id']} is shown as another's to {user}"
    return None


def _may_owe(run: RunRecord, user: str, bill_id: str, span: tuple[float, float]) -> bool:
    """Whether a bill may have been a user's: their own, or of somebody they lived with.

    Of a debtor whose moves were not recorded nobody knows that they left.
    """
    owing, apartment = run.ledger.debtors(bill_id), run.ledger.apartment(bill_id)
    if user in owing:
        return True
    lives_there = run.stays.possible(user, apartment, *span)
    known = [one for one in owing if run.stays.possible(one, apartment, 0.0, span[1])]
    with_them = any(run.stays.possible(one, apartment, *span) for one in known)
    return bool(lives_there) and (with_them or not known)


def _not_theirs(run: RunRecord, reply: Reply, request: Request) -> str | None:
    """Say which event was shown that is for others alone."""
    for event in reply.data["settled_debts"]:
        if not run.ledger.is_shown_to(request.user, event):
            return f"an event of payment {event['payment_id']} is not for {request.user}"
    return None


def _login_trouble(run: RunRecord, reply: Reply, request: Request) -> str | None:
    if request.event.get("login") == "wrong":
        return "a wrong password was accepted"
    if reply.data["tokens"]["sub"] != request.user:
        return f"{request.user} got a token of {reply.data['tokens']['sub']}"
    if run.names.get(request.user) not in (None, reply.data["resident"]["name"]):
        return "the login tells somebody else's name"
    return _apartments_trouble(run, reply, request)


def _apartments_trouble(run: RunRecord, reply: Reply, request: Request) -> str | None:
    if reply.data["apartments"] != rebuilt.addresses(run.ledger, reply.data["apartments"]):
        return "the login lists apartments twice, or not as they are in the ledger"
    for one in reply.data["apartments"]:
        apartment, stays = one["apartment_id"], run.stays
        sees = stays.seen if one["former"] else stays.possible
        if not sees(request.user, apartment, request.t, reply.t):
            return f"the login lists apartment {apartment}, where they didn't live"
    for apartment in run.stays.apartments(request.user):
        lives_there = run.stays.is_certain(request.user, apartment, request.t, reply.t)
        present = [one["apartment_id"] for one in reply.data["apartments"] if not one["former"]]
        if lives_there and apartment not in present:
            return f"the login doesn't list apartment {apartment}, where they live"
    return None


def _too_early(
    run: RunRecord, reply: Reply, request: Request, stays: Sequence[ResidencySpan]
) -> str | None:
    """Say what of a history was shown from before the resident may see it."""
    sinces = run.ledger.sinces(request.user, request.apartment)
    stays = [stay for stay in stays if stay.since is None or stay.since in sinces]
    down = reply.data["covered"]["date_down"]
    if down < min((stay.since or min(sinces, default="") for stay in stays), default=""):
        return f"a frame from {down} for a resident since later"
    known = {
        event["posted_at"]: change.known
        for change in run.changes.posted(request.apartment)
        for event in change.events
    }
    for event in reply.data["settled_debts"]:
        at = event["posted_at"]
        if not any(
            at >= stay.since if stay.since else known.get(at, NEVER) >= stay.begins
            for stay in stays
        ):
            return f"an event of {at}, from before the resident may see it"
    return None


def _grant_trouble(run: RunRecord, call: Event) -> str | None:
    """Say how a residency counts from another instant than was said, or from before now."""
    answer, asked = call["answer"] or {}, call["args"].get("since")
    if answer.get("status") != "done":
        return None
    since = answer["data"]["since"]
    if since not in run.ledger.sinces(call["args"]["user"], call["args"]["apartment"]):
        return f"a residency since {since} was granted, and is not there"
    if asked is not None:
        is_same = rebuilt.later(asked, 0) == since
        return None if is_same else f"a residency since {asked} counts from {since}"
    for change in run.changes.posted(call["args"]["apartment"]):
        if change.known < float(call["t0"]) and change.events[-1]["posted_at"] >= since:
            return f"a residency from now on counts from {since}, before what was known then"
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
    bills = frozenset(line["bill_id"] for line in run.ledger.lines.get(payment_id, []))
    asked = [o for o in run.changes.requests_for(payment_id) if o.asks_for(payment, bills)]
    if not asked:
        yield finding(f"payment {payment_id} of {user} is not as requested", None, payment_id)
        return
    changes = run.changes.posted(apartment)
    spans = ((one.begins, one.known) for one in changes if one.pays(payment_id))
    begin, end = next(spans, (asked[0].t, NEVER))
    text = f"payment {payment_id} is by {user}, who didn't owe it or live in {apartment}"
    events = tuple(one.event for one in asked)
    broken = Finding(text, asked[0].request_id, events, frozenset({payment_id}))
    theirs = all(_may_owe(run, user, b, (begin, end)) for b in bills if b in run.ledger.bills)
    yield None if theirs and run.stays.seen(user, apartment, begin, end) else broken
