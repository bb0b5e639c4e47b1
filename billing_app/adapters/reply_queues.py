"""Reply queues on SQS, registered for the sweeper and made when first needed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from billing_app.adapters.sqs import QueueDiffers, QueueGone, call
from billing_app.ports.clock import Clock
from billing_app.ports.ledger import ReplyQueueRegistry
from billing_app.ports.reply_queues import ReplyAddress, ReplyQueueHeld

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

# A reply that was lost on the way to the client is there again within its patience.
VISIBILITY_TIMEOUT_SECONDS = 5
# How long a queue that nobody uses is kept; that of a login is for one reply, with tokens.
LIFETIME = timedelta(hours=24)
LOGIN_LIFETIME = timedelta(minutes=10)
# A queue in use is registered anew after this share of its life. What is left is more than a
# function takes to send a reply and more than the reply is kept, so an expired queue is empty.
_RENEWED_AFTER = 1 / 3
# The most queues whose address a warm process remembers.
_MEMORY = 10_000
_TAGS = {"service": "utilities-billing", "purpose": "reply"}


class SqsReplyQueues:
    """`ReplyQueues` on SQS. `policy` is that of each queue, in JSON."""

    def __init__(
        self,
        client: SQSClient,
        *,
        registry: ReplyQueueRegistry,
        prefix: str,
        policy: str,
        clock: Clock,
    ) -> None:
        self._client = client
        self._registry = registry
        self._prefix = prefix
        self._policy = policy
        self._clock = clock
        # Queue name -> (URL, when this process registers it anew).
        self._known: dict[str, tuple[str, datetime]] = {}

    def send(self, address: ReplyAddress, messages: Sequence[str]) -> None:
        """Send each message; a queue that is gone is made again, once."""
        name = reply_queue(
            prefix=self._prefix, subject=address.subject, queue_name=address.queue_name
        )
        url = self._url(name, address)
        for message in messages:
            try:
                self._send(url, message)
            except QueueGone:
                self._known.pop(name, None)
                url = self._url(name, address)
                self._send_to_new(url, message)

    def _url(self, name: str, address: ReplyAddress) -> str:
        url, renewed_at = self._known.get(name, ("", self._clock()))
        return url if self._clock() < renewed_at else self._registered(name, address)

    def _registered(self, name: str, address: ReplyAddress) -> str:
        """Register the queue, so that nobody deletes it, and only then see to it that it exists."""
        lifetime = LOGIN_LIFETIME if address.subject is None else LIFETIME
        renewed_at = self._clock() + lifetime * _RENEWED_AFTER
        held = self._registry.register_reply_queue(
            name=name, subject=address.subject, lifetime=lifetime
        )
        if held is not None:
            raise ReplyQueueHeld(held)
        url = self._created(name, _attributes(address.retention, self._policy))
        self._remember(name, url, renewed_at)
        return url

    def _created(self, name: str, attributes: Mapping[QueueAttributeNameType, str]) -> str:
        """Create the queue, or give one that exists the attributes that it lacks."""
        try:
            return call(
                lambda: self._client.create_queue(QueueName=name, Attributes=attributes, tags=_TAGS)
            )["QueueUrl"]
        except QueueDiffers:
            url = call(lambda: self._client.get_queue_url(QueueName=name))["QueueUrl"]
            # A queue has one kind of encryption, and is rid of the other by an empty key.
            changed = {**attributes, "KmsMasterKeyId": ""}
            call(lambda: self._client.set_queue_attributes(QueueUrl=url, Attributes=changed))
            return url

    def _remember(self, name: str, url: str, renewed_at: datetime) -> None:
        if len(self._known) >= _MEMORY:
            self._known.pop(next(iter(self._known)))
        self._known[name] = (url, renewed_at)

    def _send(self, url: str, message: str) -> None:
        call(lambda: self._client.send_message(QueueUrl=url, MessageBody=message))

    def _send_to_new(self, url: str, message: str) -> None:
        """Send to a queue that was made a moment ago: SQS may take a second to know it."""
        try:
            self._send(url, message)
        except QueueGone:
            time.sleep(1)
            self._send(url, message)


# Terraform's policies and the contract's templates write these names as well.
def reply_queue(*, prefix: str, subject: UUID | None, queue_name: UUID) -> str:
    """Name the queue on which a user waits for an answer.

    It is bound to the user's verified `sub`, whatever was asked; before a login there is none.
    """
    if subject is None:
        return f"{prefix}-login-{queue_name.hex}"
    return f"{prefix}-r-{subject.hex}-{queue_name.hex}"


def reply_queue_prefixes(*, prefix: str) -> tuple[str, str]:
    """Name what every reply queue of a deployment starts with."""
    return f"{prefix}-login-", f"{prefix}-r-"


def _attributes(retention: timedelta, policy: str) -> dict[QueueAttributeNameType, str]:
    return {
        "VisibilityTimeout": str(VISIBILITY_TIMEOUT_SECONDS),
        "MessageRetentionPeriod": str(int(retention.total_seconds())),
        "SqsManagedSseEnabled": "true",
        "Policy": policy,
    }
