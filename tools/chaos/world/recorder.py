"""The history of a run: one JSON object a line, in the order in which things were told."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Recorder:
    """Writes events to a file; threads may share one.

    `clock` gives seconds since the start of the run and never goes back. Each event has `e`, what
    it is, and `t`, when it was told: an `invoke` before the request is sent, a `reply` after it
    came, so real-time order may be read from `t`.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._file = path.open("a", encoding="utf-8")

    def now(self) -> float:
        """Return the seconds since the start."""
        return self._clock()

    def next_id(self) -> int:
        """Return a number that no other request of the run has."""
        with self._lock:
            return next(self._numbers)

    def record(self, e: str, **fields: Any) -> None:
        """Write an event down; what JSON doesn't know is written as text."""
        with self._lock:
            event = {"e": e, "t": round(self._clock(), 6), **fields}
            self._file.write(json.dumps(event, default=str, ensure_ascii=False) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
