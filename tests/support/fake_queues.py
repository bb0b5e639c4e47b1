"""Reply queues in memory: at least once, in any order, hidden for a while when received."""

from __future__ import annotations

import itertools
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Message:
    body: Json
    visible_at: float = 0.0
    receipts: list[str] = field(default_factory=list)


@dataclass
class FakeQueues:
    """All reply queues by name; one that got no message yet does not exist."""

    visibility_seconds: float = 30.0
    batch: int = 10
    shuffle: random.Random | None = None
    lose_acknowledgements: bool = False

    def __post_init__(self) -> None:
        self._queues: dict[str, list[Message]] = {}
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)

    def send(self, name: str, body: Json) -> None:
        with self._changed:
            self._queues.setdefault(name, []).append(Message(body))
            self._changed.notify_all()

    def receive(self, name: str, wait_seconds: float) -> list[Json]:
        ends_at = time.monotonic() + wait_seconds
        with self._changed:
            while name in self._queues:
                found = self._visible(name)
                left = ends_at - time.monotonic()
                if found or left <= 0:
                    return [self._hand_out(message) for message in found]
                self._changed.wait(min(left, 0.05))
        return []

    def _visible(self, name: str) -> list[Message]:
        now = time.monotonic()
        found = [message for message in self._queues[name] if message.visible_at <= now]
        if self.shuffle:
            self.shuffle.shuffle(found)
        return found[: self.batch]

    def _hand_out(self, message: Message) -> Json:
        message.visible_at = time.monotonic() + self.visibility_seconds
        message.receipts.append(f"receipt+/={next(self._numbers)}")
        return {**message.body, "receipt": message.receipts[-1]}

    def delete(self, name: str, receipt: str) -> None:
        with self._changed:
            kept = [m for m in self._queues.get(name, []) if receipt not in m.receipts]
            if name in self._queues and not self.lose_acknowledgements:
                self._queues[name] = kept

    def left(self) -> list[Json]:
        """Return what was never acknowledged."""
        with self._changed:
            return [message.body for queue in self._queues.values() for message in queue]

    def names(self) -> list[str]:
        with self._changed:
            return list(self._queues)
