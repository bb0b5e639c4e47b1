"""What crosses the wire under the client: statuses, tickets and replies."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tools.load.samples import Ticket

# What the path of each operation ends with, which is its queue's name, too.
QUEUES = {
    "login": "auth",
    "debts": "utils",
    "pay": "payments",
    "sync": "histories",
    "history": "histories",
}


@dataclass(frozen=True)
class Witness:
    """Who is told what crossed the wire."""

    now: Callable[[], float]
    response: Callable[[str, int], None]
    ticket: Callable[[Ticket], None]
    reply: Callable[[dict[str, Any]], None]


class _Accepted(threading.local):
    """When a thread's operation was accepted; a call runs in the thread that asked for it."""

    queue: str = ""
    at: float | None = None


class WatchedTransport(httpx.BaseTransport):
    """Passes requests on and tells what came back; the client notices nothing."""

    def __init__(self, inner: httpx.BaseTransport, witness: Witness, user: int) -> None:
        self._inner, self._witness, self._user = inner, witness, user
        self._accepted = _Accepted()

    def begin(self, operation: str) -> None:
        """Expect the acceptance of an operation in this thread."""
        self._accepted.queue, self._accepted.at = QUEUES[operation], None

    def accepted_at(self) -> float | None:
        """Return when this thread's operation was first accepted, None if it was not."""
        return self._accepted.at

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and tell the witness about the response."""
        response = self._inner.handle_request(request)
        self._witness.response(request.method, response.status_code)
        if response.status_code == 202:
            self._note_acceptance(request, _content(response))
        elif request.method == "GET" and response.status_code == 200:
            for reply in _content(response).get("replies", []):
                self._witness.reply(reply)
        return response

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def _note_acceptance(self, request: httpx.Request, content: dict[str, Any]) -> None:
        queue = request.url.path.rpartition("/")[2]
        ticket = Ticket(content["request_id"], queue, content["poll"], self._user)
        self._witness.ticket(ticket)
        # A renewal of tokens goes by this thread, too, and is not what it asked for.
        if queue == self._accepted.queue and self._accepted.at is None:
            self._accepted.at = self._witness.now()


def _content(response: httpx.Response) -> dict[str, Any]:
    """Read the body, which httpx keeps for the client."""
    content: dict[str, Any] = json.loads(response.read())
    return content
