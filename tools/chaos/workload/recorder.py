"""The history of a run, and secrets that can be recognized, each one JSON object a line."""

from __future__ import annotations

import itertools
import json
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Scripts, quotes and markup that have broken escaping elsewhere.
# None is a demo resident's.
_SURNAMES = ("Ткачук", "李雪峰", "O'Neil", 'Chloë "Z"', "<b>&amp;", "Ωmega\\")


class _Lines:
    """Appends JSON lines to a file; threads may share it."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8")
        path.chmod(0o600)

    def write(self, line: Any) -> None:
        """Write a line at once; what JSON doesn't know is written as text."""
        self._file.write(json.dumps(line, default=str, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Recorder(_Lines):
    """Records events and counts replies by operation.

    `clock` gives seconds since the start of the run and never goes back. Each event has `e`, what
    it is, and `t`, when it was recorded: an `invoke` before the request is sent, a `reply` after it
    came, so `t` shows the real-time order.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        super().__init__(path)
        self.now = clock
        self.replies: Counter[str] = Counter()
        self._numbers = itertools.count(1)

    def next_id(self) -> int:
        """Return a number that no other request of the run has."""
        with self.lock:
            return next(self._numbers)

    def record(self, e: str, **fields: Any) -> None:
        """Record an event."""
        with self.lock:
            self.write({"e": e, "t": round(self.now(), 6), **fields})
            self.replies[str(fields.get("op"))] += e == "reply"


class Canaries(_Lines):
    """Makes and collects secrets that must be found in no log, dead letter or error text."""

    def add(self, kind: str, value: str, user: str | None = None) -> str:
        """Record a secret (password, username, name, token, receipt), whose it is; return it."""
        with self.lock:
            self.write({"kind": kind, "value": value, "user": user})
        return value

    def password(self) -> str:
        """Make a password that every password policy here takes."""
        return self.add("password", f"Canary-{secrets.token_hex(12)}-Aa1!")

    def name(self, user: str) -> str:
        """Make the name of a user, which occurs nowhere else."""
        return self.add("name", f"Kanarek{secrets.token_hex(6)} {secrets.choice(_SURNAMES)}", user)
