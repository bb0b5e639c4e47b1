"""Names of reply queues, which Terraform's policies and the contract's templates know as well."""

from __future__ import annotations

import re
from uuid import UUID

# SQS allows 80 characters in a name, of which "-r-", two UUIDs without dashes and the dash
# between them take 68: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-quotas.html
PREFIX_MAX_LENGTH = 12
# The rule of `prefix` in terraform/variables.tf, which a test compares with this one.
_PREFIX = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*")


def is_prefix(text: str) -> bool:
    """Tell whether the names of a deployment can start with `text`."""
    return len(text) <= PREFIX_MAX_LENGTH and _PREFIX.fullmatch(text) is not None


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
