"""The queue that a function reads."""

from __future__ import annotations

import logging
import math
from datetime import timedelta
from typing import TYPE_CHECKING

from billing_app.adapters.sqs import call
from billing_app.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = logging.getLogger(__name__)


class SqsRequestQueue:
    """`RequestQueue` on SQS."""

    def __init__(self, client: SQSClient, *, url: str) -> None:
        self._client = client
        self._url = url

    def put_off(self, receipt_handle: str, *, wait: timedelta) -> None:
        """Change the message's visibility timeout; without that the queue's own holds."""
        try:
            call(
                lambda: self._client.change_message_visibility(
                    QueueUrl=self._url,
                    ReceiptHandle=receipt_handle,
                    VisibilityTimeout=math.ceil(wait.total_seconds()),
                )
            )
        except Unavailable as error:
            logger.warning("not put off", exc_info=error)
