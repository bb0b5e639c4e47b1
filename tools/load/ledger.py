"""After the load: is any request without an answer, any bill paid twice, any receipt untrue?"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from billing_client import BillingError

from tools.load.crowd import Crowd
from tools.load.office import Office
from tools.load.samples import Recording, Ticket

SETTLE_SECONDS = 90.0
_POLL_SECONDS = 5


@dataclass
class Ledger:
    """What became of all that was accepted. ``books`` are only known of a local cloud.

    ``lost`` are requests by id that have no answer and are in no dead-letter queue.
    """

    accepted: int
    answered: int
    answered_late: int
    dead_letters: int
    lost: list[str]
    receipts: int
    books_known: bool = False
    paid_twice: list[str] = field(default_factory=list)
    receipts_without_payment: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    still_queued: int = 0

    @property
    def holds(self) -> bool:
        """Tell whether nothing is lost and the books are right."""
        wrong = (self.lost, self.paid_twice, self.receipts_without_payment, self.violations)
        return not any(wrong) and self.still_queued == 0


def settle(crowd: Crowd, *, seconds: float = SETTLE_SECONDS) -> Ledger:
    """Fetch the answers that nobody waited for, and compare what clients know with the books."""
    deadline = time.monotonic() + seconds
    before = len(crowd.recording.tickets.answered)
    _resume_payments(crowd)
    _collect(crowd, deadline)
    tickets = crowd.recording.tickets
    dead = crowd.target.office.dead_letters() if crowd.target.office else set()
    receipts = {bill: paid for user in crowd.users for bill, paid in user.receipts.items()}
    ledger = Ledger(
        accepted=len(tickets.accepted),
        answered=len(tickets.answered & tickets.accepted.keys()),
        answered_late=len(tickets.answered) - before,
        dead_letters=len(dead & tickets.accepted.keys()),
        lost=sorted(tickets.open.keys() - dead),
        receipts=len(receipts),
    )
    if crowd.target.office:
        _look_into_books(ledger, crowd.target.office, receipts)
    return ledger


def _resume_payments(crowd: Crowd) -> None:
    """Ask for outcomes that are open; one that stays so leaves its ticket open, which is found."""
    for user in crowd.users:
        try:
            user.resume_payments()
        except BillingError as error:
            if error.pending is None:
                raise


def _collect(crowd: Crowd, deadline: float) -> None:
    """Poll the queues of all open tickets; each reply closes one, whoever asked for it."""
    with httpx.Client(base_url=crowd.target.api, timeout=30) as http:
        while (found := crowd.recording.tickets.open) and time.monotonic() < deadline:
            for ticket in _one_for_each_queue(found.values()):
                _poll(http, crowd, ticket)


def _one_for_each_queue(tickets: Iterable[Ticket]) -> list[Ticket]:
    return list({ticket.poll: ticket for ticket in tickets}.values())


def _poll(http: httpx.Client, crowd: Crowd, ticket: Ticket) -> None:
    session = crowd.users[ticket.user].client.session
    token = session.tokens.id_token if session else ""
    answer = http.get(
        ticket.poll,
        params={"wait_seconds": str(_POLL_SECONDS)},
        headers={"Authorization": f"Bearer {token}"},
    )
    if answer.status_code == 429:
        time.sleep(float(answer.headers["Retry-After"]))
    elif answer.status_code == 200:
        _note(crowd.recording, answer.json()["replies"])


def _note(recording: Recording, replies: Iterable[dict[str, Any]]) -> None:
    for reply in replies:
        recording.reply(reply)


def _look_into_books(ledger: Ledger, office: Office, receipts: Mapping[str, str]) -> None:
    times = office.times_paid(list(receipts))
    ledger.books_known = True
    ledger.paid_twice = sorted(bill for bill, count in times.items() if count > 1)
    ledger.receipts_without_payment = sorted(receipts.keys() - times.keys())
    ledger.violations = office.violations()
    ledger.still_queued = sum(office.depths().values())
