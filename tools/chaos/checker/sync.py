"""I10: a client that follows the sync protocol holds exactly the history that the service has."""

from __future__ import annotations

from tools.chaos.checker.history import Event, Row
from tools.chaos.checker.result import Facts, Finding
from tools.chaos.checker.run_record import RunRecord

_Identity = tuple[str, str, str]


def sync_is_history(run: RunRecord) -> Facts:
    """I10: each copy is the ledger between its edges, and the last one is all of it."""
    for sync in run.history.of("sync"):
        yield _copy_is_the_ledger(run, sync)
        yield _has_what_was_answered_before(run, sync)
        if sync.get("final"):
            yield _reaches_to_both_ends(run, sync)
    yield from _all_synced_at_the_end(run)


def _identity(event: Row) -> _Identity:
    return event["event"], event["payment_id"], event["bill_id"]


def _held(sync: Event) -> set[_Identity]:
    return {(event, payment, bill) for event, payment, bill in sync["events"]}


def _broken(sync: Event, text: str, *about: str) -> Finding:
    return Finding(f"client {sync['client']}: {text}", events=(sync,), about=frozenset(about))


def _copy_is_the_ledger(run: RunRecord, sync: Event) -> Finding | None:
    frame, held = sync["frame"], _held(sync)
    inside = {
        _identity(event)
        for event in run.ledger.history.get(sync["apartment"], [])
        if frame["date_down"] <= event["posted_at"] < frame["date_up"]
    }
    if held == inside and len(held) == len(sync["events"]):
        return None
    text = f"its copy lacks {len(inside - held)} events and has {len(held - inside)} too many"
    return _broken(sync, text, *(payment for _, payment, _ in held ^ inside))


def _has_what_was_answered_before(run: RunRecord, sync: Event) -> Finding | None:
    """A payment that was answered before the sync began is in it, unless it may not be seen."""
    held, apartment = _held(sync), sync["apartment"]
    posted = {_identity(e): e["posted_at"] for e in run.ledger.history.get(apartment, [])}
    for reply in run.receipts.get(apartment, []):
        if reply.t >= sync["asked"]:
            break
        for line in reply.data["lines"]:
            one = ("payment", reply.data["payment_id"], line["bill_id"])
            if one not in held and posted.get(one, "") >= sync["frame"]["date_down"]:
                text = f"payment {one[1]} was answered before the sync began and is not in it"
                return Finding(text, reply.request_id, (reply.event, sync), frozenset({one[1]}))
    return None


def _reaches_to_both_ends(run: RunRecord, sync: Event) -> Finding | None:
    """The last copy begins where the resident's view does, and ends behind the last event."""
    frame = sync["frame"]
    last = run.ledger.state[sync["apartment"]]["last_posted_at"] or ""
    if frame["date_down"] not in run.ledger.sinces(sync["user"], sync["apartment"]):
        return _broken(sync, f"its frame begins at {frame['date_down']}, its view does not")
    if frame["date_up"] <= last:
        return _broken(sync, f"its frame ends at {frame['date_up']}, history at {last}")
    return None


def _all_synced_at_the_end(run: RunRecord) -> Facts:
    """Each client with an apartment of its own gets to a last sync once faults have ended."""
    synced = {(s["client"], s["apartment"]) for s in run.history.of("sync") if s.get("final")}
    for phase in run.history.of("phase"):
        for one in phase.get("clients", []):
            for apartment in one["apartments"]:
                span = float(phase["t"]), run.history.end
                lives_there = run.stays.is_certain(one["user"], apartment, *span)
                if not lives_there or (one["client"], apartment) in synced:
                    yield None
                    continue
                text = f"client {one['client']} never finished its last sync of {apartment}"
                yield Finding(text, events=(phase,))
