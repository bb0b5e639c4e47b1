"""I11: no password, token, receipt handle or personal name is anywhere but where it belongs."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from tools.chaos.checker.result import Facts, finding
from tools.chaos.checker.run_record import RunRecord

# A secret is looked for in blocks of so many characters, which nothing else has by chance: of one
# that was cut, changed in case or encoded, some block is left. What is shorter has to be a word.
_BLOCK = 10
_SHORTEST = 4


class _Secrets:
    """The canaries of a run, in lower case: kinds by block, and by what is shorter than one."""

    def __init__(self, canaries: Iterator[Mapping[str, Any]]) -> None:
        self._blocks: dict[str, str] = {}
        self._words: dict[str, str] = {}
        for one in canaries:
            for text in map(str.casefold, _spellings(one["kind"], one["value"])):
                starts = range(0, len(text) - _BLOCK + 1, _BLOCK)
                self._blocks |= {text[at : at + _BLOCK]: one["kind"] for at in starts}
                if len(text) >= _BLOCK:
                    self._blocks[text[-_BLOCK:]] = one["kind"]
                elif len(text) >= _SHORTEST or not text.isascii():
                    self._words[text] = one["kind"]

    def __bool__(self) -> bool:
        return bool(self._blocks or self._words)

    def found_in(self, text: str) -> dict[str, str]:
        """Return the kinds of what a text has, by the piece."""
        text = text.casefold()
        pieces = {text[at : at + _BLOCK] for at in range(len(text) - _BLOCK + 1)}
        words = (one for one in self._words if one in text and _is_a_word(one, text))
        found = {one: self._words[one] for one in words}
        return found | {one: self._blocks[one] for one in pieces & self._blocks.keys()}


def nothing_personal_in_logs(run: RunRecord) -> Facts:
    """I11: search logs, dead letters and answers for the canaries, however written."""
    secrets = _Secrets(iter(run.secrets))
    for place, text in _places(run) if secrets else ():
        found = secrets.found_in(text)
        # Enough of a secret to find it again, and no more: at most half of it.
        said = (
            f"a {kind}: ...{one[-(len(one) // 2) :]} ({len(found)} in all)"
            for one, kind in found.items()
        )
        yield finding(f"{place} has {min(said)}" if found else None)


def _places(run: RunRecord) -> Iterator[tuple[str, str]]:
    yield from ((f"log {name}", text) for name, text in run.logs.items())
    for letter in run.final.get("dead_letters", []):
        yield f"dead letter of {letter['queue']}", _json(letter)
    for event in run.history.of("error"):
        yield f"answer {event['status']} at {event['t']} s", _json(event["body"])
    for reply in run.history.replies:
        # A login tells one's own name; whether it does is a matter of I7.
        data = {name: value for name, value in reply.data.items() if name != "resident"}
        body = {**reply.body, "data": data} if reply.op == "auth" else reply.body
        yield f"the {reply.status} reply to {reply.request_id}", _json(body)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _spellings(kind: str, value: str) -> set[str]:
    """Return a secret and each word of it as they are, and as JSON, URLs, HTML and base64 do."""
    pieces = {value, *(value.split(" ") if kind == "name" else [])}
    return {spelling for piece in pieces for spelling in _encoded(piece)}


def _encoded(piece: str) -> Iterator[str]:
    yield from (piece, json.dumps(piece)[1:-1], json.dumps(piece, ensure_ascii=False)[1:-1])
    yield from (quote(piece), quote(piece, safe=""), escape(piece), piece.encode().hex())
    if len(piece) >= _BLOCK:
        # What came before it in the encoded text shifts it by none, one or two characters.
        for shift in range(3):
            code = base64.b64encode(b" " * shift + piece.encode()).decode().rstrip("=")[4:-2]
            yield from (code, code.translate(str.maketrans("+/", "-_")))


def _is_a_word(piece: str, text: str) -> bool:
    """Whether it is not only a part of a longer word."""
    return re.search(rf"(?<!\w){re.escape(piece)}(?!\w)", text) is not None
