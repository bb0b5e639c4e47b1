"""What a run measured: a sample for each operation, and every request that was accepted."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

DONE = "done"
# The client gave up waiting: the answer took at least as long as it waited.
TIMEOUT = "answer_timeout"


@dataclass(frozen=True)
class Sample:
    """One operation. Instants are seconds of the run; `outcome` is "done" or an error code.

    `due` is when it should have started. In a closed loop that is when it did start. In an open
    loop it is what the schedule says, so the time spent behind a stalled service counts.
    """

    operation: str
    due: float
    started: float
    accepted: float | None
    ended: float
    outcome: str

    @property
    def is_answered(self) -> bool:
        """Tell whether its time counts as a time to the answer.

        A timeout counts: leaving out the slowest would flatter the service. A rejection does not.
        """
        return self.outcome in (DONE, TIMEOUT)


@dataclass(frozen=True)
class Accepted:
    """A request that was answered with 202: where its reply will be, and the user's number."""

    poll: str
    user: int


class Recording:
    """Collects what many threads measure. The clock starts at zero."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._zero = clock, clock()
        self._lock = threading.Lock()
        self.samples: list[Sample] = []
        self.responses: Counter[str] = Counter()
        self.accepted: dict[str, Accepted] = {}
        self._parts: dict[str, set[int]] = {}
        self._answered: set[str] = set()

    def now(self) -> float:
        """Return seconds since the run began."""
        return self._clock() - self._zero

    def add(self, sample: Sample) -> None:
        """Keep the sample of an operation that ended."""
        with self._lock:
            self.samples.append(sample)

    def add_response(self, method: str, status: int) -> None:
        """Count an HTTP response."""
        with self._lock:
            self.responses[f"{method} {status}"] += 1

    def add_accepted(self, request_id: str, accepted: Accepted) -> None:
        """Keep a request that was accepted."""
        with self._lock:
            self.accepted[request_id] = accepted

    def add_reply(self, reply: Mapping[str, object]) -> None:
        """Note one part of an answer; the last part makes the request answered."""
        request_id, part, parts = (reply.get(key) for key in ("request_id", "part", "parts"))
        if not isinstance(part, int):
            return
        with self._lock:
            seen = self._parts.setdefault(str(request_id), set())
            seen.add(part)
            if len(seen) == parts:
                self._answered.add(str(request_id))

    @property
    def unanswered(self) -> dict[str, Accepted]:
        """Requests that were accepted and have no complete answer yet, by request id."""
        return {key: value for key, value in self.accepted.items() if key not in self._answered}
