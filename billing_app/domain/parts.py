"""Cutting an answer into parts that fit a queue message."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")

# Bytes of JSON in a part. SQS messages held 256 KiB for most of its life, and some regions and
# emulators still do; the rest is left to the reply's envelope and its attributes.
PART_MAX_BYTES = 190_000
# What is left for items even when the rest of a part is unusually large.
ITEMS_MIN_BYTES = 20_000


def to_json(value: Any) -> str:
    """Write compact ASCII JSON: what SQS takes whatever script a name is written in."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def items_budget(*, envelope: Any) -> int:
    """Count the bytes that are left for items beside the rest of a part."""
    return max(ITEMS_MIN_BYTES, PART_MAX_BYTES - len(to_json(envelope)))


def cut(
    items: Iterable[Item], *, max_bytes: int, content: Callable[[Item], Any]
) -> list[list[Item]]:
    """Cut items into runs of at most `max_bytes` of JSON, in order; at least one run.

    An item that is larger than a run makes a run of its own.
    """
    runs: list[list[Item]] = [[]]
    used = 0
    for item in items:
        size = len(to_json(content(item))) + 1
        if runs[-1] and used + size > max_bytes:
            runs.append([])
            used = 0
        runs[-1].append(item)
        used += size
    return runs
