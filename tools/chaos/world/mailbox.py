"""What came to a reply queue, sorted by request; devices that share the queue share this."""

from __future__ import annotations

import threading
from typing import Any

Json = dict[str, Any]


class Mailbox:
    """The replies of one queue, whoever fetched them.

    Parts of one request at one version belong together; those of two versions are never mixed.
    """

    def __init__(self, queue_name: str) -> None:
        self.queue_name = queue_name
        self._lock = threading.Lock()
        # (request id, version) -> part -> reply
        self._sets: dict[tuple[str, Any], dict[int, Json]] = {}
        self._first_whole: dict[str, list[Json]] = {}

    def put(self, reply: Json) -> bool:
        """Keep a reply; tell whether it is new."""
        with self._lock:
            parts = self._sets.setdefault((reply["request_id"], _version(reply)), {})
            is_new = reply["part"] not in parts
            parts[reply["part"]] = reply
            if len(parts) == reply["parts"]:
                whole = [parts[number] for number in sorted(parts)]
                self._first_whole.setdefault(reply["request_id"], whole)
            return is_new

    def answer(self, request_id: str) -> list[Json] | None:
        """Return the parts of the first whole answer to a request, None while there is none."""
        with self._lock:
            return self._first_whole.get(request_id)


def _version(reply: Json) -> Any:
    data = reply["data"]
    return data.get("version") if isinstance(data, dict) else None
