"""One apartment's history as a value, and the shipped sync on it.

Instants are counted in microseconds: the clock stands still unless somebody moves in, so that
events lie as close to each other, and to the edges of frames, as they can.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple
from unittest.mock import patch
from uuid import UUID

from billing_app.domain.history import frame_from
from billing_app.domain.instants import format_instant
from billing_app.domain.parts import to_json
from billing_app.use_cases import history
from billing_app.use_cases.history import sync_history
from tests.support.fakes import START, FakeApartment, FakeCache, FakeLedger

Json = dict[str, Any]
HOME, ADA = UUID(int=1), UUID(int=2)
LONG_AGO = -1000


class Posted(NamedTuple):
    """An event: of which line of which payment, and when it was posted."""

    event: str
    payment: int
    line: int
    at: int


class Ledger(NamedTuple):
    """What was posted, and since when Ada may see it; None when she may not.

    `moves` counts how often she has moved in, `now` is the clock.
    """

    events: tuple[Posted, ...] = ()
    since: int | None = LONG_AGO
    now: int = 0
    moves: int = 0

    @property
    def end(self) -> int:
        """The first instant after everything."""
        return self.events[-1].at + 1 if self.events else self.now

    def post(self, event: str, payment: int, lines: int) -> Ledger:
        """Append as the books do: a microsecond apart, and never before the clock."""
        first = max(self.now, self.end)
        posted = (Posted(event, payment, line, first + line) for line in range(lines))
        return self._replace(events=(*self.events, *posted))

    def visible(self) -> frozenset[Posted]:
        """Return what Ada may see."""
        since = self.since
        return frozenset(e for e in self.events if since is not None and e.at >= since)


@dataclass(frozen=True)
class Sizes:
    """How many events are in a page of the database, and in a part of an answer."""

    page: int
    part: int


class Server:
    """The shipped sync, with small pages and parts, on whatever ledger it is shown."""

    def __init__(self) -> None:
        self._answers: dict[Any, list[Json]] = {}

    def sync(self, ledger: Ledger, asked: Json) -> list[Json]:
        """Return the parts of an answer. Raises Rejection."""
        key = (ledger, *asked.values())
        if key not in self._answers:
            self._answers[key] = self._sync(ledger, asked)
        return self._answers[key]

    def _sync(self, ledger: Ledger, asked: Json) -> list[Json]:
        return sync_history(
            ledger=self.fake(ledger),
            cache=FakeCache(),
            subject=ADA,
            apartment_id=HOME,
            frame=frame_from(date_down=asked["date_down"], date_up=asked["date_up"]),
            cursor=asked["cursor"],
        )

    def fake(self, ledger: Ledger) -> FakeLedger:
        """Put a ledger into the fake that tests/contract holds against Postgres."""
        fake = FakeLedger()
        events = [_row(seq, posted) for seq, posted in enumerate(ledger.events, start=1)]
        last = ledger.events[-1].at if ledger.events else None
        fake.apartments[HOME] = FakeApartment(
            version=1, events=events, posted_at=None if last is None else moment(last)
        )
        if ledger.since is not None:
            fake.residencies[ADA, HOME] = moment(ledger.since)
        return fake


@contextmanager
def small(sizes: Sizes) -> Iterator[None]:
    """Let a few events need several pages and parts."""
    event = to_json(history._settled_debt(_row(1, Posted("reversal", 1, 1, 0))))
    budget = history._ENVELOPE_BYTES + (len(event) + 1) * sizes.part
    with ExitStack() as stack:
        stack.enter_context(patch.object(history, "PAGE_EVENTS", sizes.page))
        stack.enter_context(patch.object(history, "PART_MAX_BYTES", budget))
        yield


def moment(at: int) -> Any:
    """Return an instant."""
    return START + timedelta(microseconds=at)


def written(at: int) -> str:
    """Return an instant as the contract writes it."""
    return format_instant(moment(at))


def identity(posted: Posted) -> tuple[str, str, str]:
    """Name an event as clients do."""
    return posted.event, str(UUID(int=posted.payment)), str(UUID(int=posted.line))


def _row(seq: int, posted: Posted) -> Json:
    event, payment, bill = identity(posted)
    return {
        "seq": seq,
        "event": event,
        "bill_id": bill,
        "utility": "gas",
        "provider": {"provider_id": "north-gas", "name": "North Gas"},
        "period": {"from": "2026-01-01", "to": "2026-01-31"},
        "amount_minor": 5140,
        "currency": "EUR",
        "posted_at": written(posted.at),
        "settled_at": written(posted.at),
        "payment_id": payment,
        "receipt_number": f"R-2026-{posted.payment:010}",
    }
