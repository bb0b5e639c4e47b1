"""Whether a rejection had its reason, at some instant between the request and its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tools.chaos.judge.case import Case
from tools.chaos.judge.history import Reply, Request

# The end of the span in which a rejection may have been decided is its reply; the beginning is the
# first time that the same was asked, since a rejection of a payment is stored.
Span = tuple[float, float]
Cause = Callable[[Case, Reply, Request, Span], bool]


def missing_cause(case: Case, reply: Reply, request: Request) -> str | None:
    """Say that a rejection has no reason, None when it has one or needs none."""
    code = str(reply.body["code"])
    if request.op == "auth":
        is_right = code == "invalid_credentials" and request.event.get("login") == "wrong"
        return None if is_right else f"a right login was rejected: {code}"
    cause = _CAUSES.get(code)
    if cause is None:
        return f"a well-formed request was rejected: {code}"
    return None if cause(case, reply, request, _span(case, reply, request)) else _text(code, reply)


def _text(code: str, reply: Reply) -> str:
    return f"rejected with {code}, which was not so at any time: {reply.data or ''}"


def _span(case: Case, reply: Reply, request: Request) -> Span:
    same = [one for one in _same_key(case, request) if one.wish == request.wish]
    return min([request.t, *(one.t for one in same)]), reply.t


def _same_key(case: Case, request: Request) -> list[Request]:
    return case.history.attempts.get((request.user, str(request.key)), [])


def _was_not_at_home(case: Case, _reply: Reply, request: Request, span: Span) -> bool:
    return not case.stays.surely_covered(request.user, request.apartment, *span)


def _bills(case: Case, request: Request) -> list[str]:
    return [bill for bill in request.event["bills"] if bill in case.books.bills]


def _some_bill_is_foreign(case: Case, _reply: Reply, request: Request, _span: Span) -> bool:
    own = {b for b in _bills(case, request) if case.books.place(b) == request.apartment}
    return set(request.event["bills"]) > own


def _named(reply: Reply, request: Request) -> Iterable[str]:
    """Return the bills that a rejection names, all of the request's when it names none."""
    named = reply.data.get("bills")
    return named if named and set(named) <= set(request.event["bills"]) else []


def _bills_are_withdrawn(case: Case, reply: Reply, request: Request, _span: Span) -> bool:
    named = list(_named(reply, request))
    gone = case.books.void | case.books.replaced
    return bool(named) and all(bill in gone for bill in named)


def _bills_were_paid(case: Case, reply: Reply, request: Request, span: Span) -> bool:
    named = list(_named(reply, request))
    return bool(named) and all(_was_paid(case, bill, span) for bill in named)


def _was_paid(case: Case, bill_id: str, span: Span) -> bool:
    """Tell whether some payment of a bill may have stood in the span."""
    payments = [str(line["payment_id"]) for line in case.books.lines_of_bill.get(bill_id, [])]
    return any(
        case.may_be_paid_from(one) <= span[1] and span[0] <= case.is_reversed_by(one)
        for one in payments
    )


def _total_differs(case: Case, _reply: Reply, request: Request, _span: Span) -> bool:
    amounts = [case.books.bills[bill]["amount_minor"] for bill in _bills(case, request)]
    return request.event["expected"] not in (None, sum(amounts))


def _currencies_differ(case: Case, _reply: Reply, request: Request, _span: Span) -> bool:
    return len({case.books.bills[bill]["currency"] for bill in _bills(case, request)}) > 1


def _key_was_used_otherwise(case: Case, _reply: Reply, request: Request, span: Span) -> bool:
    others = [one for one in _same_key(case, request) if one.wish != request.wish]
    return any(one.t <= span[1] for one in others)


def _always(_case: Case, _reply: Reply, _request: Request, _span: Span) -> bool:
    """A frame may be unknown when a resident's view of the history moved: they start anew."""
    return True


_CAUSES: dict[str, Cause] = {
    "apartment_not_found": _was_not_at_home,
    "bill_not_found": _some_bill_is_foreign,
    "bill_void": _bills_are_withdrawn,
    "bill_already_paid": _bills_were_paid,
    "total_changed": _total_differs,
    "currency_mixed": _currencies_differ,
    "idempotency_key_reused": _key_was_used_otherwise,
    "history_frame_unknown": _always,
}
