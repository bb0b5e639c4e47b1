"""The queues on which answers wait for their users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ReplyAddress:
    """Where a reply goes: the user's verified `sub`, none before a login, and the queue they named.

    Nobody else can read from it, whatever name they choose.
    """

    queue_name: UUID
    subject: UUID | None
    retention: timedelta


class ReplyQueues(Protocol):
    """Sends replies and removes idle queues. Raises `Unavailable` when SQS doesn't answer."""

    def send(self, address: ReplyAddress, messages: Sequence[str]) -> None:
        """Put the messages on the queue in order, making the queue when it is gone."""

    def names(self) -> Iterator[str]:
        """List reply queues that exist, at most as many as one ListQueues call gives."""

    def owns(self, name: str) -> bool:
        """Tell whether the name is that of a reply queue of this deployment."""

    def is_idle(self, name: str, *, older_than: timedelta) -> bool:
        """Tell whether the queue is that old and holds no message, visible or not."""

    def delete(self, name: str) -> None:
        """Delete the queue; nothing happens when it is gone."""
