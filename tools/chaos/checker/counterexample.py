"""The smallest counterexample: what happened to that request or bill, in order of time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tools.chaos.checker.result import Event, Finding, Violation
from tools.chaos.checker.run_record import RunRecord, imported_lines

_SHORT = 8
_SOON_SECONDS = 5.0


def counterexample(run: RunRecord, found: Finding) -> list[Event]:
    """Return the finding's events, what else was done to the same things, and faults meanwhile."""
    about = found.about | ({found.request_id} if found.request_id else frozenset())
    chosen = {id(event): event for event in found.events}
    numbers = {event["id"] for event in chosen.values() if "id" in event}
    numbers |= {e["id"] for e in run.history.of("accepted") if e["request_id"] in about}
    for event in run.history.events:
        concerns = _CONCERNS.get(event["e"])
        if event.get("id") in numbers or (concerns is not None and concerns(event, about)):
            chosen[id(event)] = event
            numbers |= {event["id"]} if "id" in event else set()
    events = sorted(chosen.values(), key=_time)
    return sorted([*events, *_faults_during(run, found.events or events)], key=_time)


def _time(event: Event) -> float:
    return float(event["t"])


def _invoke_concerns(event: Event, about: frozenset[str]) -> bool:
    return event["op"] == "payments" and not about.isdisjoint({*event["bills"], event["key"]})


def _reply_concerns(event: Event, about: frozenset[str]) -> bool:
    reply = event["reply"]
    names = {reply["request_id"]}
    if reply["operation"] == "payments":
        data = reply.get("data") or {}
        names |= {str(data.get("payment_id")), *(line["bill_id"] for line in data.get("lines", []))}
    return not names.isdisjoint(about)


def _operator_concerns(event: Event, about: frozenset[str]) -> bool:
    text = json.dumps([event["args"], event["answer"]])
    return any(one in text for one in about)


# Other kinds of events change nothing: they belong here only when a finding has them.
_CONCERNS: dict[str, Callable[[Event, frozenset[str]], bool]] = {
    "invoke": _invoke_concerns,
    "reply": _reply_concerns,
    "operator": _operator_concerns,
}


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
    return "\n".join([head, *(f"  {_line(event)}" for event in violation.counterexample)])


def _line(event: Event) -> str:
    return f"{float(event['t']):9.3f} s  {_LINES.get(event['e'], _anything)(event)}"


def _ids(ids: Iterable[Any]) -> str:
    return ", ".join(str(one)[:_SHORT] for one in ids)


def _invoke(event: Event) -> str:
    bills = f" bills {_ids(event['bills'])}" if event.get("bills") else ""
    key = f" key {_ids([event['key']])}" if event.get("key") else ""
    return f"{event['client']} asks #{event['id']} {event['op']}{bills}{key}"


def _not_accepted(event: Event) -> str:
    what = "nobody knows whether it was accepted" if event["status"] == 0 else "not accepted"
    return f"   #{event['id']} {what} ({event['status']} {event['code']})"


def _reply(event: Event) -> str:
    reply, data = event["reply"], event["reply"].get("data") or {}
    said = reply.get("code") or data.get("receipt_number") or ""
    version = f" at version {data['version']}" if "version" in data else ""
    bills = _ids(row["bill_id"] for row in [*data.get("lines", []), *data.get("debts", [])])
    return (
        f"{event['client']} gets {reply['operation']} {reply['status']} {said}{version}"
        f" of {reply['request_id'][:_SHORT]}{f' [{bills}]' if bills else ''}"
    )


def _operator(event: Event) -> str:
    answer = event["answer"] or {}
    said = answer.get("code") or answer.get("status") or "no answer"
    tries = f" in {event['attempts']} attempts" if event.get("attempts", 1) > 1 else ""
    lines = imported_lines(event)
    what = ", ".join(f"{_ids([line['bill_id']])} {line['result']}" for line in lines)
    named = what or _ids(event["args"].values())
    return f"operator {event['action']} {named} -> {said}{tries}, asked at {event['t0']} s"


def _sync(event: Event) -> str:
    frame = event["frame"]
    return (
        f"{event['client']} holds {len(event['events'])} events of {event['apartment'][:_SHORT]}"
        f" in [{frame['date_down']}, {frame['date_up']}), asked at {event['asked']} s"
    )


def _anything(event: Event) -> str:
    return json.dumps({k: v for k, v in event.items() if k != "t"}, ensure_ascii=False)


_LINES: dict[str, Callable[[Event], str]] = {
    "invoke": _invoke,
    "accepted": lambda event: f"   #{event['id']} accepted as {event['request_id']}",
    "not_accepted": _not_accepted,
    "reply": _reply,
    "operator": _operator,
    "sync": _sync,
    "fault": lambda e: f"FAULT {e['name']} {e['phase']}s {json.dumps(e.get('at'))}",
}
