"""I11: no password, token, receipt handle or personal name is anywhere but where it belongs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from tools.chaos.checker.result import Facts, finding
from tools.chaos.checker.run_record import RunRecord

# What is too short would be found by chance. Tails are compared, since tokens begin alike.
_SHORTEST = 12
# (kind, text): one way of writing a secret.
_Secret = tuple[str, str]


def nothing_personal_in_logs(run: RunRecord) -> Facts:
    """I11: search logs, dead letters and error texts for the canaries, however written."""
    by_tail: dict[str, list[_Secret]] = {}
    for one in run.secrets:
        for text in _spellings(one["kind"], one["value"]):
            if len(text) >= _SHORTEST:
                by_tail.setdefault(text[-_SHORTEST:], []).append((one["kind"], text))
    if not by_tail:
        return
    for place, text in _places(run):
        found = _found(text, by_tail)
        # Enough of a secret to find it again, and no more.
        said = [
            f"{place} has a {kind}: ...{text[-6:]} ({len(found)} in all)" for kind, text in found
        ]
        yield finding(said[0] if said else None)


def _places(run: RunRecord) -> Iterator[tuple[str, str]]:
    yield from ((f"log {name}", text) for name, text in run.logs.items())
    for letter in run.final.get("dead_letters", []):
        yield f"dead letter of {letter['queue']}", _json(letter)
    for event in run.history.of("error"):
        yield f"answer {event['status']} at {event['t']} s", _json(event["body"])
    for reply in run.history.replies:
        if reply.status != "done":
            yield f"the {reply.status} reply to {reply.request_id}", _json(reply.body)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _spellings(kind: str, value: str) -> set[str]:
    """Return a secret as it is, and as JSON and URLs write it."""
    pieces = [value]
    if kind == "token":
        # The claims and the signature are secret by themselves.
        pieces += value.split(".")[1:]
    if kind == "name":
        pieces += value.split(" ")[:1]
    return {
        spelling
        for piece in pieces
        for spelling in (piece, json.dumps(piece)[1:-1], quote(piece), quote(piece, safe=""))
    }


def _found(text: str, by_tail: dict[str, list[_Secret]]) -> list[_Secret]:
    tails = {text[at : at + _SHORTEST] for at in range(len(text) - _SHORTEST + 1)}
    return [one for tail in tails & by_tail.keys() for one in by_tail[tail] if one[1] in text]
