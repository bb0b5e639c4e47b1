"""I11: no password, token, receipt handle or personal name is anywhere but where it belongs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from tools.chaos.judge.case import Case
from tools.chaos.judge.verdict import Facts, Finding

# What is too short would be found by chance. Tails are compared, since tokens begin alike.
_SHORTEST = 12


@dataclass(frozen=True)
class Secret:
    """One way of writing a secret."""

    kind: str
    text: str


def nothing_personal_in_logs(case: Case) -> Facts:
    """I11: search logs, dead letters and error texts for the canaries, however written."""
    by_tail = _by_tail(case)
    for place, text in _places(case):
        if not by_tail:
            return
        found = _found(text, by_tail)
        yield (
            None
            if not found
            else Finding(
                f"{place} has a {found[0].kind}: {_masked(found[0].text)} ({len(found)} in all)"
            )
        )


def _masked(text: str) -> str:
    """Show enough of a secret to find it again, and no more."""
    return f"...{text[-6:]}"


def _places(case: Case) -> Iterator[tuple[str, str]]:
    yield from ((f"log {name}", text) for name, text in case.logs.items())
    for letter in case.final.get("dead_letters", []):
        text = json.dumps(letter, ensure_ascii=False)
        yield f"dead letter of {letter['queue']}", text
    for event in case.history.of("error"):
        text = json.dumps(event["body"], ensure_ascii=False)
        yield f"answer {event['status']} at {event['t']} s", text
    for reply in case.history.replies:
        if reply.status != "done":
            text = json.dumps(reply.body, ensure_ascii=False)
            yield f"the {reply.status} reply to {reply.request_id}", text


def _by_tail(case: Case) -> dict[str, list[Secret]]:
    found: dict[str, list[Secret]] = {}
    for one in case.secrets:
        for text in _writings(one["kind"], one["value"]):
            if len(text) >= _SHORTEST:
                found.setdefault(text[-_SHORTEST:], []).append(Secret(one["kind"], text))
    return found


def _writings(kind: str, value: str) -> set[str]:
    """Return a secret as it is, and as JSON and URLs write it."""
    pieces = _pieces(kind, value)
    ways: Iterable[str] = (
        way
        for piece in pieces
        for way in (piece, json.dumps(piece)[1:-1], quote(piece), quote(piece, safe=""))
    )
    return set(ways)


def _pieces(kind: str, value: str) -> list[str]:
    """Return what of a secret is secret by itself: a token's claims, a person's first name."""
    if kind == "token":
        return [value, *value.split(".")[1:]]
    if kind == "name":
        return [value, value.split(" ")[0]]
    return [value]


def _found(text: str, by_tail: dict[str, list[Secret]]) -> list[Secret]:
    tails = {text[at : at + _SHORTEST] for at in range(len(text) - _SHORTEST + 1)}
    return [
        secret for tail in tails & by_tail.keys() for secret in by_tail[tail] if secret.text in text
    ]
