"""The rules of history sync: which part of an apartment's history a client holds and lacks.

A client holds one unbroken range of history, from an instant of posting to another. A sync extends
it upward (what was posted since) and, if it starts later than the resident may see, downward. Each
event comes with the range that the client holds once it has the events up to that one, so a client
that loses the rest goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing_app.domain.bills import Bill
from billing_app.domain.instants import TICK


@dataclass(frozen=True, slots=True)
class SettledDebt:
    """An event of the history: a bill was paid, or its payment was reversed.

    `kind` is `payment` or `reversal`; `seq` counts the events of the apartment from 1; `bill` has
    the names of the time when it was paid.
    """

    seq: int
    kind: str
    bill: Bill
    posted_at: datetime
    settled_at: datetime
    payment_id: UUID
    receipt_number: str


@dataclass(frozen=True, slots=True)
class Position:
    """Where a client stands: it holds everything from `date_down` up to a place.

    The place is `after_seq`, a position in the apartment's history, or the instant `date_up`,
    which is not in the range; the later of the two counts.
    """

    date_down: datetime
    date_up: datetime
    after_seq: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One event, and the range that a client holds once it has this and all events before it."""

    event: SettledDebt
    covered: Position


def upward_steps(events: Sequence[SettledDebt], *, start: Position) -> list[Step]:
    """Extend the range upward with events in the order of their sequence."""
    return [
        Step(event, Position(start.date_down, event.posted_at + TICK, event.seq))
        for event in events
    ]


def downward_steps(
    events: Sequence[SettledDebt], *, start: Position, floor: datetime
) -> list[Step]:
    """Extend the range downward with events older than it, the latest first, to `floor`."""
    latest_first = events[::-1]
    downs = [*(event.posted_at for event in latest_first[:-1]), floor]
    return [
        Step(event, Position(down, start.date_up, start.after_seq))
        for event, down in zip(latest_first, downs, strict=False)
    ]
