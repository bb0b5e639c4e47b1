"""Calls of SQS, with its errors as those of the ports."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from billing_app.domain.errors import Unavailable
from billing_app.ports.reply_queues import ReplyQueueHeld

Result = TypeVar("Result")

# SQS makes no queue of a deleted one's name for a minute. Terraform's provider found that it may
# be ten seconds more: https://github.com/hashicorp/terraform-provider-aws/pull/3148
_DELETED_FOR = timedelta(seconds=75)


class QueueGone(Unavailable):
    """SQS does not know the queue."""


class QueueDiffers(Unavailable):
    """CreateQueue names a queue that exists, with other attributes."""


def call(request: Callable[[], Result]) -> Result:
    """Make a request.

    Raises:
        QueueGone: there is no such queue.
        QueueDiffers: there is one, with other attributes.
        ReplyQueueHeld: there was one a moment ago.
        Unavailable: anything else went wrong.
    """
    try:
        return request()
    except ClientError as error:
        raise _error(error.response["Error"]["Code"]) from error
    except BotoCoreError as error:
        raise Unavailable(f"sqs: {type(error).__name__}") from error


def _error(code: str) -> Unavailable:
    # SQS names an error in two ways, of which one may have this before it.
    match code.removeprefix("AWS.SimpleQueueService."):
        case "NonExistentQueue" | "QueueDoesNotExist":
            return QueueGone("sqs: the queue is gone")
        case "QueueAlreadyExists" | "QueueNameExists":
            return QueueDiffers("sqs: the queue has other attributes")
        case "QueueDeletedRecently":
            return ReplyQueueHeld(_DELETED_FOR)
        case other:
            return Unavailable(f"sqs: {other}")
