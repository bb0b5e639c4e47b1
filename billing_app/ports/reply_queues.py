"""The queues on which answers wait for their users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from billing_app.domain.errors import Unavailable


@dataclass(frozen=True, slots=True)
class ReplyAddress:
    """Where a reply goes: the user's verified `sub`, none before a login, and the queue they named.

    Nobody else can read from it, whatever name they choose.
    """

    queue_name: UUID
    subject: UUID | None
    retention: timedelta


@dataclass(frozen=True, slots=True)
class FoundQueue:
    """A reply queue that exists: how to reach it, and whether it held a message, visible or not.

    SQS counts approximately, a minute late.
    """

    url: str
    is_empty: bool


class ReplyQueueHeld(Unavailable):
    """A queue of this name was deleted a moment ago; there can be another one after `wait`."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("sqs: the reply queue was deleted a moment ago")
        self.wait = wait


class ReplyQueues(Protocol):
    """Sends replies."""

    def send(self, address: ReplyAddress, messages: Sequence[str]) -> None:
        """Put the messages on the queue in order, making the queue when it is gone.

        Raises:
            ReplyQueueHeld: a queue of this name was deleted a moment ago.
            Unavailable: SQS or the registry does not answer.
        """


class IdleQueues(Protocol):
    """Finds and removes reply queues. Raises `Unavailable` when SQS doesn't answer."""

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What the names of this deployment's reply queues start with."""

    def names(self, *, digit: str) -> Iterator[Sequence[str]]:
        """Yield, in pages, the reply queues whose user or name starts with a hexadecimal digit."""

    def find(self, name: str) -> FoundQueue | None:
        """Look at a queue; None when there is none of this name."""

    def delete(self, found: FoundQueue) -> None:
        """Delete the queue; nothing happens when it is gone."""
