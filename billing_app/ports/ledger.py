"""The ledger: what residents read and change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from billing_app.domain.bills import OpenDebts, Receipt
from billing_app.domain.history import SettledDebt
from billing_app.ports.clock import CalendarDay


@dataclass(frozen=True, slots=True)
class Apartment:
    """An apartment of a resident; a `former` one they have left."""

    apartment_id: UUID
    address: str
    former: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """A resident and their apartments."""

    name: str
    apartments: tuple[Apartment, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """A resident lives or lived in an apartment, whose ledger is at `version`.

    `visible_from` is the instant since when the resident may see the history.
    """

    version: int
    visible_from: datetime


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which events of an apartment's history: after a position, outside of a known range."""

    after_seq: int
    known_from: datetime | None
    known_to: datetime | None
    limit: int


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Events in the order of their sequence, and where the history stands.

    `more`: there are events beyond the limit; `known_end_exists`: the ledger has the event just
    before the end of the known range.
    """

    version: int
    visible_from: datetime
    last_posted_at: datetime | None
    events: tuple[SettledDebt, ...]
    more: bool
    known_end_exists: bool


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """What a resident asks to pay. `request_key` makes it take effect at most once, for ever.

    `is_stale`: it was asked for so long ago that nobody expects it any more. `requested_at`, by
    default now, is the same each time that the request is worked off.
    """

    subject: UUID
    request_key: str
    apartment_id: UUID
    bills: tuple[UUID, ...]
    expected_total_minor: int | None
    is_stale: bool = False
    requested_at: datetime | None = None


class ApartmentReader(Protocol):
    """What residents see of an apartment. Raises `Unavailable` when the ledger doesn't answer."""

    def open_debts(self, *, subject: UUID, apartment_id: UUID) -> OpenDebts | None:
        """Return the open bills that the resident sees, from one snapshot; None for strangers."""

    def history(
        self, *, subject: UUID, apartment_id: UUID, query: HistoryQuery
    ) -> HistoryPage | None:
        """Return the settled bills and reversals that the resident sees; None for strangers."""


class Ledger(ApartmentReader, Protocol):
    """The ledger of all apartments. Raises `Unavailable` when it doesn't answer."""

    def account(self, *, subject: UUID) -> Account | None:
        """Return the resident with this Cognito `sub`, or None."""

    def day_of(self, instant: datetime) -> CalendarDay:
        """Return the day that an aware instant belongs to, as the deployment counts days."""

    def access(self, *, subject: UUID, apartment_id: UUID) -> Access | None:
        """Return None for strangers, who never had the apartment."""

    def pay(self, order: PaymentOrder) -> Receipt:
        """Pay all of the bills or none; the same key gets the same receipt again, for ever.

        Raises:
            Rejection: `apartment_not_found`, `bill_not_found`, `bill_of_former_resident`,
                `bill_void`, `bill_already_paid`, `currency_mixed`, `total_changed`,
                `idempotency_key_reused`, `request_expired`, `too_many_rejections`.
            Unavailable: the outcome is not known; asking again with the same key is safe.
        """


class ReplyQueueRegistry(Protocol):
    """The registry of reply queues, from which the sweeper works.

    A queue that its sender has registered is not deleted while the registration lasts, and one that
    the sweeper has claimed is not registered while the claim lasts.
    """

    def register_reply_queue(
        self, *, name: str, subject: UUID | None, lifetime: timedelta
    ) -> timedelta | None:
        """Add the queue or extend its life; login queues have no subject.

        Returns:
            None, or for how long the sweeper's claim still lasts; then nothing was done.
        """

    def adopt_reply_queues(self, *, names: Sequence[str], lifetime: timedelta) -> int:
        """Add those that the registry lacks, and return how many."""

    def expired_reply_queues(self, *, prefixes: Sequence[str], limit: int) -> list[str]:
        """Return names that start so, whose life and last claim have ended, the oldest first."""

    def claim_reply_queue(self, *, name: str, hold: timedelta) -> bool:
        """Claim the queue for so long if its life has still ended; tell whether it has."""

    def forget_reply_queue(self, *, name: str) -> None:
        """Remove a queue that is gone; nothing happens while it is in use or claimed."""
