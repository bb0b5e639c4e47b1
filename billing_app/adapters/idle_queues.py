"""Reply queues on SQS as the sweeper sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from billing_app.adapters.reply_queues import reply_queue_prefixes
from billing_app.adapters.sqs import QueueGone, call
from billing_app.ports.reply_queues import FoundQueue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeFilterType

# The most that one ListQueues gives.
_PAGE = 1_000
_COUNTS: Sequence[QueueAttributeFilterType] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
)


class SqsIdleQueues:
    """`IdleQueues` on SQS."""

    def __init__(self, client: SQSClient, *, prefix: str, page: int = _PAGE) -> None:
        self._client = client
        self._page = page
        self.prefixes = reply_queue_prefixes(prefix=prefix)

    def names(self, *, digit: str) -> Iterator[Sequence[str]]:
        """Ask for each kind of reply queue, a page at a time."""
        for prefix in self.prefixes:
            yield from call(partial(self._pages, f"{prefix}{digit}"))

    def _pages(self, prefix: str) -> list[list[str]]:
        pages = self._client.get_paginator("list_queues").paginate(
            QueueNamePrefix=prefix, PaginationConfig={"PageSize": self._page}
        )
        return [[url.rsplit("/", 1)[-1] for url in page.get("QueueUrls", [])] for page in pages]

    def find(self, name: str) -> FoundQueue | None:
        """Look at the message counts."""
        try:
            url = call(lambda: self._client.get_queue_url(QueueName=name))["QueueUrl"]
            counts = call(
                lambda: self._client.get_queue_attributes(QueueUrl=url, AttributeNames=_COUNTS)
            )["Attributes"]
        except QueueGone:
            return None
        return FoundQueue(url, is_empty=not any(int(count) for count in counts.values()))

    def delete(self, found: FoundQueue) -> None:
        """Delete the queue."""
        try:
            call(lambda: self._client.delete_queue(QueueUrl=found.url))
        except QueueGone:
            return
