"""Replies: answers in parts that each fit a queue message, in the shape that clients know.

Items and parts are text once they are JSON, and are written as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from billing_app.domain.errors import CATALOGUE, Rejection

# Bytes of JSON in a part. SQS messages held 256 KiB for most of its life, and some regions and
# emulators still do; the rest is left to the reply's envelope and its attributes.
PART_MAX_BYTES = 190_000
# What is left for items even when the rest of a part is unusually large.
ITEMS_MIN_BYTES = 20_000

_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: done with its data in parts, or a code of the catalogue.

    Each part is JSON.
    """

    status: str
    code: str | None
    message: str
    parts: Sequence[str]


def rejected(rejection: Rejection) -> Outcome:
    """Return the outcome of a request that can't be done."""
    data = to_json(rejection.data)
    return Outcome(rejection.status, rejection.code, rejection.message, [data])


def failed(code: str) -> Outcome:
    """Return the outcome of a request that we failed to do."""
    return Outcome("failed", code, CATALOGUE[code].message, ["null"])


def messages(outcome: Outcome, *, request_id: str, operation: str) -> list[str]:
    """Write the outcome as reply messages, one a part."""
    head = {
        "request_id": request_id,
        "operation": operation,
        "status": outcome.status,
        "code": outcome.code,
        "message": outcome.message,
        "parts": len(outcome.parts),
    }
    return [
        f'{to_json({**head, "part": number})[:-1]},"data":{data}}}'
        for number, data in enumerate(outcome.parts, start=1)
    ]


def to_json(value: Any) -> str:
    """Write compact ASCII JSON: what SQS takes whatever script a name is written in."""
    return _ENCODER.encode(value)


def paged(head: Mapping[str, Any], name: str, items: Iterable[Any]) -> list[str]:
    """Write parts that each have some of the items, as a list called `name`, and the whole head."""
    budget = max(ITEMS_MIN_BYTES, PART_MAX_BYTES - len(to_json(head)))
    return [part(head, name, page) for page in pages(map(to_json, items), max_bytes=budget)]


def pages(items: Iterable[str], *, max_bytes: int) -> list[list[str]]:
    """Divide items into pages of at most `max_bytes`, in order; at least one page.

    An item that is larger than a page makes a page of its own.
    """
    divided: list[list[str]] = [[]]
    used = 0
    for item in items:
        size = len(item) + 1
        if divided[-1] and used + size > max_bytes:
            divided.append([])
            used = 0
        divided[-1].append(item)
        used += size
    return divided


def part(head: Mapping[str, Any], name: str, items: Sequence[str]) -> str:
    """Write a part: the fields of the head, which has some, and the list of items."""
    return f'{to_json(head)[:-1]},"{name}":[{",".join(items)}]}}'
