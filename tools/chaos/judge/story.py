"""The smallest story of a broken promise: what happened to that request or bill, in order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tools.chaos.judge.case import Case
from tools.chaos.judge.verdict import Event, Finding, Violation

# Events that change nothing and belong to a story only when a finding names them.
_QUIET = ("sync", "deleted", "phase", "error")
_SHORT = 8
_SOON_SECONDS = 5.0


def story(case: Case, finding: Finding) -> list[Event]:
    """Return the finding's events, what else was done to the same things, and faults meanwhile."""
    chosen = {id(event): event for event in finding.events}
    about = finding.about | ({finding.request_id} if finding.request_id else frozenset())
    numbers = {event["id"] for event in chosen.values() if "id" in event}
    numbers |= {
        event["id"] for event in case.history.of("accepted") if event["request_id"] in about
    }
    for event in case.history.events:
        if event["e"] not in _QUIET and _concerns(event, about, numbers):
            chosen[id(event)] = event
            if event["e"] == "invoke":
                numbers.add(event["id"])
    told = sorted(chosen.values(), key=_time)
    faults = _faults_during(case, [*finding.events] or told)
    return sorted([*told, *faults], key=_time)


def _time(event: Event) -> float:
    return float(event["t"])


def _concerns(event: Event, about: frozenset[str], numbers: set[int]) -> bool:
    if event["e"] in ("accepted", "not_accepted"):
        return event["id"] in numbers
    if event["e"] == "invoke":
        names = {*event["bills"], event["key"]} if event["op"] == "payments" else set()
        return event["id"] in numbers or not names.isdisjoint(about)
    if event["e"] == "reply":
        return _is_reply_about(event, about)
    if event["e"] == "office":
        text = json.dumps([event["args"], event["answer"]])
        return any(one in text for one in about)
    return False


def _is_reply_about(event: Event, about: frozenset[str]) -> bool:
    reply = event["reply"]
    names = {reply["request_id"]}
    if reply["operation"] == "payments":
        data = reply.get("data") or {}
        names |= {str(data.get("payment_id")), *(line["bill_id"] for line in data.get("lines", []))}
    return not names.isdisjoint(about)


def _faults_during(case: Case, core: Sequence[Event]) -> list[Event]:
    """Return the faults that struck at some instant between the first and the last of these."""
    if not core:
        return []
    begin, end = min(map(_time, core)), max(map(_time, core))
    if core[-1]["e"] == "accepted":
        # Nothing more was heard of it: what struck soon after is what it died of.
        end += _SOON_SECONDS
    last_before: dict[str, Event] = {}
    for event in case.history.of("fault"):
        if _time(event) < begin:
            last_before[event["name"]] = event
    lasting = [event for event in last_before.values() if event["phase"] == "begin"]
    return [*lasting, *(e for e in case.history.of("fault") if begin <= _time(e) <= end)]


def render(violation: Violation) -> str:
    """Write a violation for a terminal: what was promised, what broke it, a line an event."""
    head = f"{violation.invariant} broken: {violation.text}"
    return "\n".join([head, *(f"  {_line(event)}" for event in violation.story)])


def _line(event: Event) -> str:
    return f"{float(event['t']):9.3f} s  {_TELLERS.get(event['e'], _anything)(event)}"


def _ids(ids: Iterable[Any]) -> str:
    return ", ".join(str(one)[:_SHORT] for one in ids)


def _invoke(event: Event) -> str:
    bills = f" bills {_ids(event['bills'])}" if event.get("bills") else ""
    key = f" key {_ids([event['key']])}" if event.get("key") else ""
    return f"{event['client']} asks #{event['id']} {event['op']}{bills}{key}"


def _accepted(event: Event) -> str:
    return f"   #{event['id']} accepted as {event['request_id']}"


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


def _office(event: Event) -> str:
    answer = event["answer"] or {}
    said = answer.get("code") or answer.get("status") or "no answer"
    tries = f" in {event['attempts']} attempts" if event.get("attempts", 1) > 1 else ""
    what = ", ".join(_named(event))
    return f"office {event['action']} {what} -> {said}{tries}, asked at {event['t0']} s"


def _named(event: Event) -> list[str]:
    """Return what a call of the office was about: bills of an import, else its arguments."""
    lines = ((event["answer"] or {}).get("data") or {}).get("lines")
    if lines is None:
        return [str(value)[:_SHORT] for value in event["args"].values()]
    return [f"{str(line['bill_id'])[:_SHORT]} {line['result']}" for line in lines]


def _sync(event: Event) -> str:
    frame = event["frame"]
    return (
        f"{event['client']} holds {len(event['events'])} events of {event['apartment'][:_SHORT]}"
        f" in [{frame['date_down']}, {frame['date_up']}), asked at {event['asked']} s"
    )


def _fault(event: Event) -> str:
    return f"FAULT {event['name']} {event['phase']}s {json.dumps(event.get('at'))}"


def _anything(event: Event) -> str:
    return json.dumps({k: v for k, v in event.items() if k != "t"}, ensure_ascii=False)


_TELLERS = {
    "invoke": _invoke,
    "accepted": _accepted,
    "not_accepted": _not_accepted,
    "reply": _reply,
    "office": _office,
    "sync": _sync,
    "fault": _fault,
}
