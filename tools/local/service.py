"""Queues, functions and logins as in the cloud, from `terraform/service.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).resolve().parents[2] / "terraform" / "service.json"


@dataclass(frozen=True)
class Queue:
    """A request queue: how long it keeps a request, and whether failed ones are kept apart."""

    retention_seconds: int
    dead_letters: bool


@dataclass(frozen=True)
class Function:
    """A function: its limits, and whom the database and the cache know it as.

    A function that reads a queue gets `batch_size` messages at once, each of which has
    `record_seconds` at least; another function has neither (1 and 0).
    """

    timeout_seconds: int
    database_role: str
    uses_cache: bool
    batch_size: int
    record_seconds: int


@dataclass(frozen=True)
class Logins:
    """How residents log in: how long tokens last, what passwords look like, by which ways."""

    token_minutes: int
    refresh_token_days: int
    password_minimum_length: int
    password_kinds: Sequence[str]
    temporary_password_days: int
    login_flows: Sequence[str]


@dataclass(frozen=True)
class Throttle:
    """The most requests that one method of the API lets pass: a second, and at once."""

    rate: float
    burst: int


@dataclass(frozen=True)
class Service:
    """All queues and functions, by operation and name, and the rules of logins.

    `throttles` are those of `posts` and of `polls`, which is everything else.
    """

    queues: Mapping[str, Queue]
    functions: Mapping[str, Function]
    logins: Logins
    throttles: Mapping[str, Throttle]
    max_receive_count: int
    visibility_timeouts: int
    dead_letter_retention_seconds: int


@cache
def service() -> Service:
    """Read the file, once."""
    content = json.loads(_FILE.read_text(encoding="utf-8"))
    queues = content["queues"]
    return Service(
        queues={name: Queue(**queue) for name, queue in queues.pop("requests").items()},
        functions={name: _function(made) for name, made in content["functions"].items()},
        logins=Logins(**content["identity"]),
        throttles={name: Throttle(**limit) for name, limit in content["throttles"].items()},
        **queues,
    )


def _function(content: Mapping[str, Any]) -> Function:
    return Function(
        timeout_seconds=content["timeout_seconds"],
        database_role=content["database_role"],
        uses_cache=content["cache"],
        batch_size=content.get("batch_size", 1),
        record_seconds=content.get("record_seconds", 0),
    )
