"""Reply queues on SQS, made when first needed and registered for the sweeper."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError

from billing_app.domain.errors import Unavailable
from billing_app.ports.clock import Clock
from billing_app.ports.ledger import ReplyQueueRegistry
from billing_app.ports.reply_queues import ReplyAddress

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import CreateQueueRequestTypeDef

Result = TypeVar("Result")

# A reply that was lost on the way to the client is there again within its patience.
VISIBILITY_TIMEOUT_SECONDS = 5
# How long a queue that nobody uses is kept. A queue in use is registered anew every hour.
LIFETIME = timedelta(hours=24)
_RENEW_AFTER = timedelta(hours=1)
# The most queues whose address a warm process remembers.
_MEMORY = 10_000

_GONE = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "NonExistentQueue",
}


class SqsReplyQueues:
    """`ReplyQueues` on SQS."""

    def __init__(
        self, client: SQSClient, *, registry: ReplyQueueRegistry, prefix: str, clock: Clock
    ) -> None:
        self._client = client
        self._registry = registry
        self._prefix = prefix
        self._clock = clock
        # Queue name -> (URL, when this process registered it).
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
            except _QueueGone:
                self._known.pop(name, None)
                url = self._url(name, address)
                self._send_to_new(url, message)

    def names(self) -> Iterator[str]:
        """List up to 1,000 names of each kind of reply queue."""
        for prefix in reply_queue_prefixes(prefix=self._prefix):
            for url in self._listed(prefix):
                yield url.rsplit("/", 1)[-1]

    def _listed(self, prefix: str) -> list[str]:
        answer = _call(lambda: self._client.list_queues(QueueNamePrefix=prefix, MaxResults=1000))
        return answer.get("QueueUrls", [])

    def owns(self, name: str) -> bool:
        """Look at what the name starts with."""
        return name.startswith(reply_queue_prefixes(prefix=self._prefix))

    def is_idle(self, name: str, *, older_than: timedelta) -> bool:
        """Look at age and message counts; a queue that is gone is idle."""
        try:
            url = _call(lambda: self._client.get_queue_url(QueueName=name))["QueueUrl"]
            answer = _call(
                lambda: self._client.get_queue_attributes(
                    QueueUrl=url,
                    AttributeNames=[
                        "CreatedTimestamp",
                        "ApproximateNumberOfMessages",
                        "ApproximateNumberOfMessagesDelayed",
                        "ApproximateNumberOfMessagesNotVisible",
                    ],
                )
            )
        except _QueueGone:
            return True
        attributes = {str(key): float(value) for key, value in answer["Attributes"].items()}
        made_at = datetime.fromtimestamp(attributes.pop("CreatedTimestamp"), UTC)
        return made_at + older_than <= self._clock() and not any(attributes.values())

    def delete(self, name: str) -> None:
        """Delete the queue and forget its address."""
        self._known.pop(name, None)
        try:
            url = _call(lambda: self._client.get_queue_url(QueueName=name))["QueueUrl"]
            _call(lambda: self._client.delete_queue(QueueUrl=url))
        except _QueueGone:
            return

    def _url(self, name: str, address: ReplyAddress) -> str:
        known = self._known.get(name)
        if known is not None and known[1] + _RENEW_AFTER > self._clock():
            return known[0]
        # CreateQueue answers with the URL when the queue exists with the same attributes.
        url = _call(lambda: self._client.create_queue(**_creation(name, address.retention)))[
            "QueueUrl"
        ]
        self._registry.register_reply_queue(name=name, subject=address.subject, lifetime=LIFETIME)
        self._remember(name, url)
        return url

    def _remember(self, name: str, url: str) -> None:
        if len(self._known) >= _MEMORY:
            self._known.pop(next(iter(self._known)))
        self._known[name] = (url, self._clock())

    def _send(self, url: str, message: str) -> None:
        _call(lambda: self._client.send_message(QueueUrl=url, MessageBody=message))

    def _send_to_new(self, url: str, message: str) -> None:
        """Send to a queue that was made a moment ago: SQS may take a second to know it."""
        try:
            self._send(url, message)
        except _QueueGone:
            time.sleep(1)
            try:
                self._send(url, message)
            except _QueueGone as error:
                raise Unavailable("sqs: the reply queue can't be made") from error


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


class _QueueGone(Exception):
    """SQS does not know the queue."""


def _call(request: Callable[[], Result]) -> Result:
    try:
        return request()
    except ClientError as error:
        name = error.response["Error"]["Code"]
        if name in _GONE:
            raise _QueueGone from None
        raise Unavailable(f"sqs: {name}") from error
    except BotoCoreError as error:
        raise Unavailable(f"sqs: {type(error).__name__}") from error


def _creation(name: str, retention: timedelta) -> CreateQueueRequestTypeDef:
    return {
        "QueueName": name,
        "Attributes": {
            "VisibilityTimeout": str(VISIBILITY_TIMEOUT_SECONDS),
            "MessageRetentionPeriod": str(int(retention.total_seconds())),
            "SqsManagedSseEnabled": "true",
        },
        "tags": {"service": "utilities-billing", "purpose": "reply"},
    }
