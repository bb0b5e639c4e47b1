"""The queue that a request came from."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol


class RequestQueue(Protocol):
    """Says when a request comes back that could not be answered."""

    def put_off(self, receipt_handle: str, *, wait: timedelta) -> None:
        """Have a request come back after `wait` instead of the queue's visibility timeout.

        It counts as received. A failure is logged, and costs nothing but time.
        """
