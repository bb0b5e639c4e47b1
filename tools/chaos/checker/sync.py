"""I10: a client that follows the sync protocol holds exactly the history that the service has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tools.chaos.checker import rebuilt
from tools.chaos.checker.history import Event, Read, Reply, Row
from tools.chaos.checker.result import Facts, Finding, finding
from tools.chaos.checker.run_record import RunRecord

_Identity = tuple[str, str, str]
# From an instant to another, which is not in it.
_Frame = tuple[str, str]
# A client with more gets the rest when it asks on.
_EVENTS_IN_AN_ANSWER = 2_000


def sync_is_history(run: RunRecord) -> Facts:
    """I10: each answer is what its client lacks, each copy the ledger between its edges."""
    for read in run.history.reads:
        if read.request.op == "histories":
            yield finding(_answer_trouble(run, read), read)
    for sync in run.history.of("sync"):
        yield _copy_is_the_ledger(run, sync)
        if sync.get("final"):
            yield _reaches_to_both_ends(run, sync)
    yield from _all_synced_at_the_end(run)


def _answer_trouble(run: RunRecord, read: Read) -> str | None:
    """Say how an answer isn't what the client lacked, or all of the history if it begins anew."""
    events = run.changes.seen(read.request.user, read.request.apartment)
    held = read.request.event.get("held") or {}
    starts = [None, (held["date_down"], held["date_up"])] if held.get("date_up") else [None]
    if not any(_is_the_rest(events, start, read.parts) for start in starts):
        return "an answer is not, in order, what its client lacked of the history"
    last = read.parts[-1].data
    if any(part.data["more"] is not True for part in read.parts[:-1]):
        return "a part says that no other follows"
    if last["more"]:
        return None if len(events) >= _EVENTS_IN_AN_ANSWER else "there is more, and is not"
    is_whole = last["covered"]["date_up"] in _ends(run, read)
    return None if is_whole else "the answer ends before what was known, or after what had happened"


def _is_the_rest(events: Sequence[Row], start: _Frame | None, parts: Sequence[Reply]) -> bool:
    """Whether each part adds what lies between the client's frame and the one that it covers."""
    down = parts[0].data["covered"]["date_down"]
    # Of what a client holds it keeps what its resident may still see.
    held = (max(start[0], down), max(start[1], down)) if start else (down, down)
    for part in parts:
        covered = part.data["covered"]["date_down"], part.data["covered"]["date_up"]
        newer = _between(events, held[1], covered[1])
        older = _between(events, covered[0], held[0])
        if part.data["settled_debts"] != [*newer, *reversed(older)]:
            return False
        held = covered
    return True


def _between(events: Sequence[Row], down: str, up: str) -> list[Row]:
    return [event for event in events if down <= event["posted_at"] < up]


def _ends(run: RunRecord, read: Read) -> set[Any]:
    """Return where the history can have ended for a read: where the view begins, or after that."""
    posted = run.changes.posted(read.request.apartment)
    down = read.parts[-1].data["covered"]["date_down"]
    least = sum(change.is_in(read) for change in posted)
    most = sum(change.may_be_in(read) for change in posted)
    ends = [down]
    for change in posted:
        seen = [one for one in change.events if run.ledger.is_shown_to(read.request.user, one)]
        ends.append(rebuilt.later(seen[-1]["posted_at"]) if seen else ends[-1])
    return {max(end, down) for end in ends[least : most + 1]}


def _held(sync: Event) -> set[_Identity]:
    return {(event, payment, bill) for event, payment, bill in sync["events"]}


def _broken(sync: Event, text: str, *about: str) -> Finding:
    return Finding(f"client {sync['client']}: {text}", events=(sync,), about=frozenset(about))


def _copy_is_the_ledger(run: RunRecord, sync: Event) -> Finding | None:
    frame, held = sync["frame"], _held(sync)
    seen = run.changes.seen(sync["user"], sync["apartment"])
    between = _between(seen, frame["date_down"], frame["date_up"])
    inside = {rebuilt.identity(event) for event in between}
    if held == inside and len(held) == len(sync["events"]):
        return None
    text = f"its copy lacks {len(inside - held)} events and has {len(held - inside)} too many"
    return _broken(sync, text, *(payment for _, payment, _ in held ^ inside))


def _reaches_to_both_ends(run: RunRecord, sync: Event) -> Finding | None:
    """The last copy begins where the resident's view does, and ends behind the last event."""
    frame = sync["frame"]
    seen = run.changes.seen(sync["user"], sync["apartment"])
    last = seen[-1]["posted_at"] if seen else ""
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
