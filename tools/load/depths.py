"""How many requests wait, looked at again and again while a load runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType

from tools.load.samples import Recording

SECONDS_BETWEEN = 0.5


@dataclass(frozen=True)
class Depth:
    """At a second of the run: requests in each queue, and operations that have not ended."""

    at: float
    queues: Mapping[str, int]
    outstanding: int

    @property
    def total(self) -> int:
        """Requests in all queues."""
        return sum(self.queues.values())


class DepthWatch:
    """Looks at the depths twice a second while it is entered."""

    def __init__(self, depths: Callable[[], Mapping[str, int]], recording: Recording) -> None:
        self._depths, self._recording = depths, recording
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._failure: Exception | None = None
        self.seen: list[Depth] = []

    def __enter__(self) -> DepthWatch:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._thread.join()
        if error is None and self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._look()
            while not self._ending.wait(SECONDS_BETWEEN):
                self._look()
        except Exception as failure:
            self._failure = failure

    def _look(self) -> None:
        at = self._recording.now()
        self.seen.append(Depth(at, self._depths(), self._recording.outstanding))
