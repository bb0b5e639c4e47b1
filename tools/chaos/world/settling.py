"""What each client does once faults have ended: wait for every answer, then look once more."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tools.chaos.world.correspondent import SignedOut
from tools.chaos.world.resident import FINAL_PATIENCE_SECONDS, Resident

# Longer than a usual answer takes, so that a wish is not sent over and over.
_ASK_AGAIN_SECONDS = 10.0

DeadRequests = Callable[[], set[str]]


def drain(resident: Resident, halt: threading.Event, dead_requests: DeadRequests) -> None:
    """Wait until each accepted request is answered or dead, and each payment's outcome known."""
    resident.line.halt = halt
    asked: dict[str, float] = {}
    try:
        while not halt.is_set() and _is_waiting(resident, asked, dead_requests):
            resident.line.fetch()
            resident.absorb()
    except SignedOut:
        return


def _is_waiting(resident: Resident, asked: dict[str, float], dead_requests: DeadRequests) -> bool:
    _forget_the_dead(resident, dead_requests)
    _ask_for_outcomes(resident, asked)
    return bool(resident.line.outstanding or resident.wallet.wishes)


def _forget_the_dead(resident: Resident, dead_requests: DeadRequests) -> None:
    if resident.line.outstanding:
        for request_id in dead_requests() & set(resident.line.outstanding):
            del resident.line.outstanding[request_id]


def _ask_for_outcomes(resident: Resident, asked: dict[str, float]) -> None:
    """Send wishes again, each after a while: the key makes it safe."""
    now = resident.line.api.recorder.now()
    for key, ask in list(resident.wallet.wishes.items()):
        waiting = any(one.key == key for one in resident.line.outstanding.values())
        if not waiting and now - asked.get(key, -_ASK_AGAIN_SECONDS) >= _ASK_AGAIN_SECONDS:
            asked[key] = now
            resident.line.send(ask)


def look_once_more(resident: Resident, halt: threading.Event) -> None:
    """Read debts and sync each apartment that is still theirs, until both are answered."""
    resident.line.halt = halt
    try:
        for home in resident.homes:
            if _debts_are_shown(resident, home, halt):
                _sync_to_the_end(resident, home, halt)
    except SignedOut:
        return


def _debts_are_shown(resident: Resident, home: str, halt: threading.Event) -> bool:
    """Tell whether debts were shown; False where the apartment is not theirs any more."""
    while not halt.is_set():
        resident.look(home, final=True)
        sent = set(resident.line.outstanding)
        resident.line.wait(sent, seconds=FINAL_PATIENCE_SECONDS)
        statuses = [parts[0]["status"] for _, _, parts in resident.line.answered()]
        if "done" in statuses or "rejected" in statuses:
            return "done" in statuses
    return False


def _sync_to_the_end(resident: Resident, home: str, halt: threading.Event) -> None:
    while not halt.is_set():
        if resident.sync(home, "cursor", final=True, seconds=FINAL_PATIENCE_SECONDS):
            return
