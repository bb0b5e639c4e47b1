"""Moto's SQS, fair, and safe for several processes that send, receive and delete at once.

Moto builds a queue's list anew on each delete, so a message sent meanwhile is lost, and two
receivers at once get the same message. Neither matters to a unit test; both would lose or double
requests here. One lock around each change, never held while a receiver waits, ends that. As in AWS
the name of a deleted queue is not free for a minute.
"""

from __future__ import annotations

import socket
import threading
from collections import defaultdict
from time import monotonic, time
from typing import Any

from moto.sqs import models
from moto.sqs.exceptions import SQSException
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from tools.local.fair_queues import FairOrder

_current = threading.local()
# SQS makes no queue of a deleted one's name for so long.
DELETED_SECONDS = 60


def _time_millis() -> float:
    return time() * 1000


def serve_connection(connection: socket.socket | None) -> None:
    """Remember whose request this thread answers, so that a caller who is gone gets nothing."""
    _current.connection = connection


def install() -> None:
    """Have moto use this backend; to be called before its first SQS request."""
    sqs_backends.backend = DependableSQSBackend
    # Moto looks at the clock for each waiting message on each request, through datetime objects.
    # With a thousand waiting that alone took a quarter of a second.
    vars(models).update(unix_time=time, unix_time_millis=_time_millis)


class QueueDeletedRecently(SQSException):
    """What SQS says of a name whose queue was deleted a moment ago; moto does not."""

    def __init__(self) -> None:
        super().__init__(
            "AWS.SimpleQueueService.QueueDeletedRecently",
            f"You must wait {DELETED_SECONDS} seconds after deleting a queue before you can create"
            " another with the same name.",
        )


class DependableSQSBackend(SQSBackend):
    """SQS in memory where each operation happens whole."""

    # Moto looks for a backend's URLs in the package that the class says it is from.
    __module__ = SQSBackend.__module__

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._lock = threading.RLock()
        self._fair: defaultdict[str, FairOrder] = defaultdict(FairOrder)
        self._deleted_at: dict[str, float] = {}

    def create_queue(self, name: str, tags: dict[str, str] | None = None, **kwargs: Any) -> Queue:
        """Create a queue, unless one of its name was deleted a moment ago."""
        with self._lock:
            if time() < self._deleted_at.get(name, 0) + DELETED_SECONDS:
                raise QueueDeletedRecently
            self._deleted_at.pop(name, None)
            return super().create_queue(name, tags, **kwargs)

    def list_queues(self, queue_name_prefix: str) -> list[Queue]:
        """List the queues whose names start with the prefix."""
        with self._lock:
            return list(super().list_queues(queue_name_prefix))

    def receive_message(
        self,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[Message]:
        """Receive at most `count` messages, waiting for the first one as long as asked."""
        deadline = monotonic() + wait_seconds_timeout
        while not _caller_is_gone():
            with self._lock:
                self._drop_expired(queue_name)
                self._fair[queue_name].arrange(self.get_queue(queue_name)._messages)
                messages: list[Message] = super().receive_message(
                    queue_name, count, 0, visibility_timeout, message_attribute_names
                )
                self._fair[queue_name].take(messages)
            left = deadline - monotonic()
            if messages or left <= 0:
                return messages
            # At most a second, as nothing wakes us when a hidden message may be seen again.
            self.get_queue(queue_name).wait_for_messages(1)
        # A worker that was killed while it waited: what comes now is for the others.
        return []

    def delete_message(self, queue_name: str, receipt_handle: str) -> None:
        """Delete a message; its group has taken its time."""
        with self._lock:
            super().delete_message(queue_name, receipt_handle)
            self._fair[queue_name].settle(self.get_queue(queue_name)._messages)

    def delete_queue(self, queue_name: str) -> None:
        """Delete a queue and what is known of its groups; note its name."""
        with self._lock:
            super().delete_queue(queue_name)
            self._fair.pop(queue_name, None)
            self._deleted_at[queue_name] = time()

    def is_message_valid_based_on_retention_period(self, *_: object) -> bool:
        """Look at no clock: expired ones were dropped, and moto would count all messages first."""
        return True

    def _drop_expired(self, queue_name: str) -> None:
        queue = self.get_queue(queue_name)
        retention: Any = vars(queue)["message_retention_period"]
        oldest = (time() - int(retention)) * 1000
        kept = [message for message in queue._messages if _sent_millis(message) > oldest]
        if len(kept) != len(queue._messages):
            queue.pending_messages.intersection_update(kept)
            queue._messages = kept


def _locked(name: str) -> Any:
    def operation(self: DependableSQSBackend, *args: Any, **kwargs: Any) -> Any:
        with self._lock:
            return getattr(SQSBackend, name)(self, *args, **kwargs)

    return operation


for _name in ("purge_queue", "send_message", "change_message_visibility"):
    setattr(DependableSQSBackend, _name, _locked(_name))


def _sent_millis(message: Message) -> float:
    sent: float | None = message.sent_timestamp
    return sent or 0.0


def _caller_is_gone() -> bool:
    connection: socket.socket | None = getattr(_current, "connection", None)
    if connection is None:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
