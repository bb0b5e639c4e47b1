"""The order of SQS's fair queues, as far as AWS documents it; moto's standard queues have none.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
Left out: AWS also forgets a group that sent nothing for five minutes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from time import time
from typing import Any

# Of the messages in flight, and of the time that consumers spent: with more, a group is noisy.
_SHARE = 0.1
# With fewer in flight, a group is noisy only for the time that it takes.
_LEAST_IN_FLIGHT = 30


class FairOrder:
    """Which message of one queue is handed out next: those of noisy groups after all others.

    Among noisy groups the one with the fewest messages in flight comes first. A group whose backlog
    is gone is quiet again. A message without a group is a group of its own.
    """

    def __init__(self, now: Callable[[], float] = time) -> None:
        self._now = now
        # Message id -> its group, and when it was received.
        self._received: dict[str, tuple[str, float]] = {}
        # Seconds that consumers spent on what they have deleted since, by group.
        self._spent: defaultdict[str, float] = defaultdict(float)

    def take(self, messages: Sequence[Any]) -> None:
        """Remember that these were received now."""
        self._received |= {message.id: (_group(message), self._now()) for message in messages}

    def settle(self, messages: Sequence[Any]) -> None:
        """Count the time of messages that are no longer in the queue; forget groups without any."""
        for gone in self._received.keys() - {message.id for message in messages}:
            group, since = self._received.pop(gone)
            self._spent[group] += self._now() - since
        for group in self._spent.keys() - {_group(message) for message in messages}:
            del self._spent[group]

    def arrange(self, messages: list[Any]) -> None:
        """Put the messages of the queue in the order in which they are handed out."""
        self.settle(messages)
        flying = [message for message in messages if not message.visible]
        in_flight = Counter(map(_group, flying))
        spent = self._spent.copy()
        for message in flying:
            spent[_group(message)] += self._now() - self._received[message.id][1]
        noisy = {
            group
            for group in spent
            if spent[group] > _SHARE * sum(spent.values())
            or in_flight[group] > max(_LEAST_IN_FLIGHT - 1, _SHARE * len(flying))
        }
        messages.sort(key=lambda one: (_rank(_group(one), noisy, in_flight), one.sent_timestamp))


def _rank(group: str, noisy: set[str], in_flight: Counter[str]) -> int:
    return 1 + in_flight[group] if group in noisy else 0


def _group(message: Any) -> str:
    return message.group_id or f"alone {message.id}"
