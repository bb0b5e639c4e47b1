"""I5: whether a rejection had its reason, and says of it what the ledger does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tools.chaos.checker import rebuilt
from tools.chaos.checker.history import Reply, Request
from tools.chaos.checker.run_record import RunRecord

# From the first time that the same was requested, as a rejection is stored, to the reply.
_Span = tuple[float, float]
# As the ledger has it: so many stored rejections of a resident, so many bills named in one.
_MAX_REJECTIONS, _NAMED = 200, 10
# (code, what it is rejected with): None in place of the data where nothing is said.
_Cause = tuple[str, Any]


def missing_cause(run: RunRecord, reply: Reply, request: Request) -> str | None:
    """Say why a request can't have been rejected as it was; None when it can."""
    code, data = str(reply.body["code"]), reply.body.get("data")
    if request.op == "auth":
        is_right = code == "invalid_credentials" and request.event.get("login") == "wrong"
        return None if is_right else f"a right login was rejected: {code}"
    if (code, data) in _causes(run, reply, request):
        return None
    return f"rejected with {code}, which was not so at any time: {data or ''}"


def _causes(run: RunRecord, reply: Reply, request: Request) -> Iterator[_Cause]:
    """Give all that a request can have been rejected with."""
    same_key = run.history.same_key(request)
    span = min([request.t, *(o.t for o in same_key if o.content == request.content)]), reply.t
    if any(one.content != request.content and one.t <= reply.t for one in same_key):
        yield "idempotency_key_reused", None
    if run.ledger.rejections(request.user) >= _MAX_REJECTIONS:
        yield "too_many_rejections", None
    if not run.stays.came(request.user, request.apartment, span[0]):
        yield "apartment_not_found", None
    # To somebody else nothing more is said.
    if run.stays.seen(request.user, request.apartment, *span):
        if request.op == "histories" and not _frame_is_known(run, request):
            yield "history_frame_unknown", None
        if request.op == "payments":
            yield from _bills_causes(run, reply, request, span)


def _bills_causes(run: RunRecord, reply: Reply, request: Request, span: _Span) -> Iterator[_Cause]:
    """Give the reasons in the order in which the ledger looks for them."""
    asked = sorted(set(request.event["bills"]))
    user, apartment = request.user, request.apartment
    foreign = [bill for bill in asked if run.ledger.apartment(bill) != apartment]
    not_theirs = [b for b in asked if b not in foreign and not run.ledger.owes(user, b)]
    maybe_not = [] if run.stays.is_certain(user, apartment, *span) else not_theirs
    surely_not = [] if run.stays.possible(user, apartment, *span) else not_theirs
    unknown = sorted([*foreign, *surely_not])
    if found := _at_fault(reply.data, sorted([*foreign, *maybe_not]), unknown):
        yield "bill_not_found", found
    if unknown:
        return
    if found := _at_fault(reply.data, not_theirs, []):
        yield "bill_of_former_resident", found
    states = {bill: run.changes.states_during(bill, *span) for bill in asked}
    for code, state, others in (
        ("bill_void", "gone", {"open", "paid"}),
        ("bill_already_paid", "paid", {"open"}),
    ):
        maybe = [bill for bill in asked if state in states[bill]]
        surely = [bill for bill in maybe if not states[bill] & others]
        if found := _at_fault(reply.data, maybe, surely):
            yield code, found
    if all("open" in one for one in states.values()):
        yield from _sum_causes(run, request, asked)


def _at_fault(data: Mapping[str, Any], maybe: list[str], surely: list[str]) -> Any:
    """Return the bills that a rejection names, if these can be all at fault or the first ones."""
    count, named = data.get("bills_count", 0), sorted(data.get("bills") or [])
    if not named or len(named) != min(count, _NAMED) or not set(named) <= {*maybe}:
        return None
    seen = [bill for bill in surely if count <= _NAMED or bill <= named[-1]]
    fits = count <= len(maybe) and set(seen) <= {*named}
    return {"bills": named, "bills_count": count} if fits else None


def _sum_causes(run: RunRecord, request: Request, asked: list[str]) -> Iterator[_Cause]:
    bills = [run.ledger.bills[bill] for bill in asked]
    currencies = sorted({bill["currency"] for bill in bills})
    total, expected = sum(bill["amount_minor"] for bill in bills), request.event["expected"]
    if len(currencies) > 1:
        yield "currency_mixed", {"currencies": currencies}
    elif expected not in (None, total):
        yield "total_changed", {"total_minor": total, "expected_total_minor": expected}


def _frame_is_known(run: RunRecord, request: Request) -> bool:
    """Whether what a client holds ends with an event, or where its resident's view begins."""
    end = (request.event.get("held") or {}).get("date_up")
    events = run.changes.history(request.apartment)
    if end is None or end in (rebuilt.later(event["posted_at"]) for event in events):
        return True
    return not any(since < end for since in run.ledger.sinces(request.user, request.apartment))
