"""The smallest counterexample: what happened to that request or bill, in order of time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from reprlib import Repr
from textwrap import shorten
from typing import Any

from tools.chaos.checker.history import Event
from tools.chaos.checker.result import Finding, Violation
from tools.chaos.checker.run_record import RunRecord

_SOON_SECONDS = 5.0
# Other kinds of events change nothing: they belong here only when a finding has them.
_CHANGES = ("invoke", "reply", "operator")
# Ids and lists are cut: who needs all of them finds them in the history.
_SHORT = Repr()
_SHORT.maxstring, _SHORT.maxlist = 20, 4
_WIDTH = 170
# What a line shows of an event, of the reply or answer in it, and of the data of that.
_TOLD = (
    "client action id op request_id name phase at how key bills expected apartment frame status"
    " code receipt_number version lines debts user payment_id bill_id since attempts t0 asked body"
)


def counterexample(run: RunRecord, found: Finding) -> list[Event]:
    """Return the finding's events, what else was done to the same things, and faults meanwhile."""
    about = found.about | ({found.request_id} if found.request_id else frozenset())
    chosen = {id(event): event for event in found.events}
    numbers = {event["id"] for event in chosen.values() if "id" in event}
    numbers |= {e["id"] for e in run.history.of("accepted") if e["request_id"] in about}
    for event in run.history.events:
        if event.get("id") in numbers or _concerns(event, about):
            chosen[id(event)] = event
            numbers |= {event["id"]} if "id" in event else set()
    events = sorted(chosen.values(), key=_time)
    return sorted([*events, *_faults_during(run, found.events or events)], key=_time)


def _time(event: Event) -> float:
    return float(event["t"])


def _concerns(event: Event, about: frozenset[str]) -> bool:
    """Whether an event is about one of the things; a read shows much, and is about its request."""
    if event["e"] not in _CHANGES:
        return False
    is_read = event.get("op", "payments") != "payments"
    text = json.dumps(event.get("reply", {}).get("request_id") if is_read else event)
    return any(one in text for one in about)


def _faults_during(run: RunRecord, core: Sequence[Event]) -> list[Event]:
    """Return the faults that were active at some instant between the first and the last event."""
    if not core:
        return []
    begin, end = min(map(_time, core)), max(map(_time, core))
    if core[-1]["e"] == "accepted":
        # Nothing more was heard of it: the cause is probably a fault soon after.
        end += _SOON_SECONDS
    last_before = {e["name"]: e for e in run.history.of("fault") if _time(e) < begin}
    lasting = [event for event in last_before.values() if event["phase"] == "begin"]
    return [*lasting, *(e for e in run.history.of("fault") if begin <= _time(e) <= end)]


def render(violation: Violation) -> str:
    """Write a violation for a terminal: the invariant, what broke it, a line for each event."""
    head = f"{violation.invariant} broken: {violation.text}"
    return "\n".join([head, *map(_line, violation.counterexample)])


def _line(event: Event) -> str:
    said = event.get("reply") or event.get("answer") or {}
    fields = {**event.get("args", {}), **(said.get("data") or {}), **said, **event}
    told = [f"{name}={_value(fields[name])}" for name in _TOLD.split() if fields.get(name)]
    return f"{_time(event):9.3f} s  {event['e']:<12} {shorten(' '.join(told), _WIDTH)}"


def _value(value: Any) -> str:
    """Write a value; of rows that are about bills these alone."""
    if isinstance(value, list):
        value = [row.get("bill_id", row) if isinstance(row, dict) else row for row in value]
    return _SHORT.repr(value).replace("'", "")
