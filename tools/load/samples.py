"""What was measured: one sample for each operation, one ticket for each accepted request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

DONE = "done"
# The client gave up waiting: the answer took at least as long as it waited.
TIMEOUT = "answer_timeout"


@dataclass(frozen=True)
class Sample:
    """One operation; instants are seconds of the run, ``outcome`` is "done" or an error's code.

    ``intended`` is when it should have started. A closed loop starts an operation when the one
    before has ended, so there it is the same as ``started``; an open loop keeps to its schedule,
    and what waits behind a stalled service has waited since it was due.
    """

    operation: str
    intended: float
    started: float
    accepted: float | None
    ended: float
    outcome: str

    @property
    def seconds(self) -> float:
        """From the intended start to the end."""
        return self.ended - self.intended

    @property
    def seconds_to_accepted(self) -> float | None:
        """From the intended start to 202, None if the request was never accepted."""
        return None if self.accepted is None else self.accepted - self.intended

    @property
    def answered(self) -> bool:
        """Tell whether its time counts as a time to the answer.

        A timeout does: leaving out the slowest would flatter the service. A rejection doesn't.
        """
        return self.outcome in (DONE, TIMEOUT)


@dataclass(frozen=True)
class Ticket:
    """A request that was answered with 202: its queue, where its reply will be, and whose it is."""

    request_id: str
    queue: str
    poll: str
    user: int


@dataclass
class Tickets:
    """Accepted requests and the replies that were seen to them, by request id."""

    accepted: dict[str, Ticket] = field(default_factory=dict)
    parts: dict[str, set[int]] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)

    def reply(self, request_id: str, part: int, parts: int) -> None:
        """Note a part of an answer; with the last one the request is answered."""
        seen = self.parts.setdefault(request_id, set())
        seen.add(part)
        if len(seen) == parts:
            self.answered.add(request_id)

    @property
    def open(self) -> dict[str, Ticket]:
        """Requests that were accepted and not answered yet."""
        return {
            request_id: ticket
            for request_id, ticket in self.accepted.items()
            if request_id not in self.answered
        }


class Recording:
    """Gathers all that many threads measure. The clock's zero is the start of the run."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._zero = clock, clock()
        self._lock = threading.Lock()
        self.samples: list[Sample] = []
        self.responses: list[tuple[float, str, int]] = []
        self.tickets = Tickets()
        self._outstanding = 0

    def now(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._zero

    def due(self) -> None:
        """Note that an operation is due: from now on it is outstanding."""
        with self._lock:
            self._outstanding += 1

    def add(self, sample: Sample) -> None:
        """Keep the sample of an operation that was due."""
        with self._lock:
            self._outstanding -= 1
            self.samples.append(sample)

    @property
    def outstanding(self) -> int:
        """Operations that are due and have not ended."""
        return self._outstanding

    def response(self, method: str, status: int) -> None:
        """Keep the status of one HTTP response."""
        with self._lock:
            self.responses.append((self.now(), method, status))

    def ticket(self, ticket: Ticket) -> None:
        """Keep a request that was accepted."""
        with self._lock:
            self.tickets.accepted[ticket.request_id] = ticket

    def reply(self, reply: Mapping[str, object]) -> None:
        """Note a reply as a poll brought it."""
        part, parts = reply.get("part"), reply.get("parts")
        if isinstance(part, int) and isinstance(parts, int):
            with self._lock:
                self.tickets.reply(str(reply.get("request_id")), part, parts)
