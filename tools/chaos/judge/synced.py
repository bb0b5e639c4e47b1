"""I10: whoever follows the sync protocol holds exactly the history that the service has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.chaos.judge.case import Case
from tools.chaos.judge.verdict import Event, Facts, Finding

Row = Mapping[str, Any]
Identity = tuple[str, str, str]


def sync_is_history(case: Case) -> Facts:
    """I10: each copy is the books between its edges, and the last one is all of them."""
    for sync in case.history.of("sync"):
        yield _copy_is_the_books(case, sync)
        yield _holds_what_was_answered_before(case, sync)
        if sync.get("final"):
            yield _reaches_to_both_ends(case, sync)
    yield from _all_looked_once_more(case)


def _identity(event: Row) -> Identity:
    return event["event"], event["payment_id"], event["bill_id"]


def _held(sync: Event) -> set[Identity]:
    return {(event, payment, bill) for event, payment, bill in sync["events"]}


def _broken(sync: Event, text: str, about: set[str]) -> Finding:
    return Finding(f"client {sync['client']}: {text}", events=(sync,), about=frozenset(about))


def _copy_is_the_books(case: Case, sync: Event) -> Finding | None:
    frame = sync["frame"]
    events = case.books.history.get(sync["apartment"], [])
    inside = {
        _identity(event)
        for event in events
        if frame["date_down"] <= event["posted_at"] < frame["date_up"]
    }
    held = _held(sync)
    if held == inside and len(held) == len(sync["events"]):
        return None
    wrong = held ^ inside
    text = f"its copy lacks {len(inside - held)} events and has {len(held - inside)} too many"
    return _broken(sync, text, {payment for _, payment, _ in wrong})


def _holds_what_was_answered_before(case: Case, sync: Event) -> Finding | None:
    """A payment that was answered before the sync asked is in it, unless it may not be seen."""
    held, frame = _held(sync), sync["frame"]
    posted = {_identity(e): e["posted_at"] for e in case.books.history.get(sync["apartment"], [])}
    for reply in case.receipts.get(sync["apartment"], []):
        if reply.t >= sync["asked"]:
            break
        for line in reply.data["lines"]:
            one = ("payment", reply.data["payment_id"], line["bill_id"])
            if one not in held and posted.get(one, "") >= frame["date_down"]:
                text = f"payment {one[1]} was answered before the sync began and is not in it"
                return Finding(text, reply.request_id, (reply.event, sync), frozenset({one[1]}))
    return None


def _reaches_to_both_ends(case: Case, sync: Event) -> Finding | None:
    """The last copy begins where the resident's view does, and ends behind the last event."""
    frame = sync["frame"]
    last = case.books.state[sync["apartment"]]["last_posted_at"] or ""
    if frame["date_down"] not in case.books.sinces(sync["user"], sync["apartment"]):
        return _broken(sync, f"its frame begins at {frame['date_down']}, its view does not", set())
    if frame["date_up"] <= last:
        return _broken(sync, f"its frame ends at {frame['date_up']}, history at {last}", set())
    return None


def _all_looked_once_more(case: Case) -> Facts:
    """Each client with an apartment of its own gets to a last sync once faults have ended."""
    looked = {(s["client"], s["apartment"]) for s in case.history.of("sync") if s.get("final")}
    for phase in case.history.of("phase"):
        for one in phase.get("clients", []):
            for apartment in one["apartments"]:
                yield _looked_once_more(case, phase, one, apartment, looked)


def _looked_once_more(
    case: Case, phase: Event, one: Row, apartment: str, looked: set[tuple[str, str]]
) -> Finding | None:
    span = float(phase["t"]), case.history.end
    lives_there = case.stays.surely_covered(one["user"], apartment, *span)
    if not lives_there or (one["client"], apartment) in looked:
        return None
    text = f"client {one['client']} never finished its last sync of apartment {apartment}"
    return Finding(text, events=(phase,))
