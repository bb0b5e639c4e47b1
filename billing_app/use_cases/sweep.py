"""The schedule removes reply queues that nobody waits on any more.

It works from the registry, since listing a million queues does not scale; ListQueues only looks
for orphans, whose maker died between making and registering them. A queue goes only when its
prefix, its registration, its age and its emptiness all say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from billing_app.domain.errors import Unavailable
from billing_app.ports.ledger import ReplyQueueRegistry
from billing_app.ports.reply_queues import ReplyQueues

# Queues in one sweep: about 60 ms each, so that a sweep stays well under its function's 240 s.
# Every five minutes, that is 17 million a month.
SWEEP_LIMIT = 2_000
# A queue younger than this may be between its making and its registration.
MINIMUM_AGE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SweepReport:
    """How many queues were deleted, kept because they are in use, and could not be handled."""

    deleted: int
    kept: int
    failed: int


def sweep_reply_queues(*, registry: ReplyQueueRegistry, queues: ReplyQueues) -> SweepReport:
    """Delete expired and orphaned reply queues. A queue that fails is left for the next sweep.

    Raises:
        Unavailable: the registry itself does not answer.
    """
    expired = registry.expired_reply_queues(limit=SWEEP_LIMIT)
    orphans = [name for name in _listed(queues) if not registry.is_registered(name=name)]
    ours = filter(queues.owns, [*expired, *orphans])
    outcomes = [_sweep_one(registry, queues, name) for name in ours]
    return SweepReport(
        deleted=outcomes.count("deleted"),
        kept=outcomes.count("kept"),
        failed=outcomes.count("failed"),
    )


def _listed(queues: ReplyQueues) -> list[str]:
    try:
        return list(queues.names())
    except Unavailable:
        # Looking for orphans can wait; the registered ones can't pile up meanwhile.
        return []


def _sweep_one(registry: ReplyQueueRegistry, queues: ReplyQueues, name: str) -> str:
    try:
        if not queues.is_idle(name, older_than=MINIMUM_AGE):
            return "kept"
        queues.delete(name)
        registry.forget_reply_queue(name=name)
    except Unavailable:
        return "failed"
    return "deleted"
