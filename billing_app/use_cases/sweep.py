"""The schedule removes reply queues that nobody waits on any more.

It works from the registry, since listing a million queues does not scale. A queue goes only when
its prefix, its registration and its emptiness all say so, and is claimed first: whoever sends to a
queue has registered it before, and nobody can register what is claimed. So no reply is sent to a
queue that is being deleted (docs/decisions/0017-claimed-reply-queues.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing_app.domain.errors import Unavailable
from billing_app.ports.ledger import ReplyQueueRegistry
from billing_app.ports.reply_queues import IdleQueues

# Queues that one sweep looks at. Each is looked at twice, at 60 ms to delete it and 20 ms to see in
# a later sweep that it is gone, so that a sweep stays well under its function's 240 s.
SWEEP_LIMIT = 3_000
# How long nobody registers a queue that was claimed: the minute that SQS takes to delete it, and
# the time that DeleteQueue itself may take (chalicelib.bootstrap.AWS). Terraform's provider, too,
# found that SQS may refuse a name for ten seconds more than its minute.
HOLD = timedelta(seconds=90)
# When a queue's turn comes again that still held a reply, or that SQS said nothing about.
PUT_OFF = timedelta(minutes=15)
# How long a queue that the registry had lost is kept: longer than a process that registered it, in
# what was lost, sends to it without registering it anew.
ADOPTED = timedelta(hours=24)
# Each sweep looks for lost queues among a sixteenth of all, by the first digit of their names.
_DIGITS = "0123456789abcdef"
_SWEEP_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SweepReport:
    """How many queues were deleted, kept because they are in use, gone, failed and adopted."""

    deleted: int
    kept: int
    gone: int
    failed: int
    adopted: int


def sweep_reply_queues(
    *, registry: ReplyQueueRegistry, queues: IdleQueues, now: datetime
) -> SweepReport:
    """Delete expired reply queues, and register those that the registry lacks.

    A queue that fails is put off, and the others have their turn.

    Raises:
        Unavailable: the registry does not answer, or SQS lists no queues.
    """
    expired = registry.expired_reply_queues(prefixes=queues.prefixes, limit=SWEEP_LIMIT)
    outcomes = [_sweep_one(registry, queues, name) for name in expired]
    pages = queues.names(digit=_digit(now))
    adopted = sum(registry.adopt_reply_queues(names=names, lifetime=ADOPTED) for names in pages)
    return SweepReport(
        deleted=outcomes.count("deleted"),
        kept=outcomes.count("kept"),
        gone=outcomes.count("gone"),
        failed=outcomes.count("failed"),
        adopted=adopted,
    )


def _sweep_one(registry: ReplyQueueRegistry, queues: IdleQueues, name: str) -> str:
    try:
        outcome = _tried(registry, queues, name)
    except Unavailable:
        outcome = "failed"
    if outcome in ("kept", "failed"):
        registry.register_reply_queue(name=name, subject=None, lifetime=PUT_OFF)
    return outcome


def _tried(registry: ReplyQueueRegistry, queues: IdleQueues, name: str) -> str:
    found = queues.find(name)
    if found is None:
        # Also after a sweep that deleted it, or that ended between its claim and that.
        registry.forget_reply_queue(name=name)
        return "gone"
    if not (found.is_empty and registry.claim_reply_queue(name=name, hold=HOLD)):
        return "kept"
    queues.delete(found)
    return "deleted"


def _digit(now: datetime) -> str:
    return _DIGITS[int(now.timestamp() / _SWEEP_EVERY.total_seconds()) % len(_DIGITS)]
