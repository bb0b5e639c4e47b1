"""After the load: is a request unanswered, a bill paid twice, a receipt untrue?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
from billing_client import BillingError

from tools.load.operators import Operators
from tools.load.recording import Accepted, Recording
from tools.load.target import Target
from tools.load.users import User

_SETTLE_SECONDS = 90.0
_POLL_SECONDS = 5


@dataclass
class LedgerCheck:
    """What became of everything that was accepted.

    Attributes:
        unanswered: request ids without an answer.
        wrong_receipts: bills whose payments are not exactly the one of the receipt.
        violations: rules that the ledger breaks.

    Without operators (`ledger_checked` is False) only answers are looked for.
    """

    accepted: int
    unanswered: list[str]
    receipts: int
    ledger_checked: bool = False
    wrong_receipts: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Tell whether nothing is lost and the ledger is right."""
        return not (self.unanswered or self.wrong_receipts or self.violations)


def check_ledger(target: Target, users: Sequence[User], recording: Recording) -> LedgerCheck:
    """Fetch the answers that nobody waited for, and compare receipts with the ledger."""
    _resume_payments(users)
    _fetch_answers(target.api, users, recording)
    receipts = {bill: paid for user in users for bill, paid in user.receipts.items()}
    check = LedgerCheck(len(recording.accepted), sorted(recording.unanswered), len(receipts))
    if target.operators:
        _ask_operators(check, target.operators, receipts)
    return check


def _ask_operators(check: LedgerCheck, operators: Operators, receipts: dict[str, str]) -> None:
    payments = operators.payments(list(receipts))
    check.ledger_checked = True
    check.wrong_receipts = sorted(b for b, paid in receipts.items() if payments.get(b) != [paid])
    check.violations = operators.violations()


def _resume_payments(users: Sequence[User]) -> None:
    for user in users:
        try:
            user.resume_payments()
        except BillingError as error:
            # A payment that stays unknown is found again: its request is unanswered.
            if error.pending is None:
                raise


def _fetch_answers(api: str, users: Sequence[User], recording: Recording) -> None:
    """Poll the reply queues of all unanswered requests until each has its reply."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    with httpx.Client(base_url=api, timeout=30) as http:
        while (open_ := recording.unanswered) and time.monotonic() < deadline:
            for accepted in {each.poll: each for each in open_.values()}.values():
                _poll(http, users[accepted.user], accepted, recording)


def _poll(http: httpx.Client, user: User, accepted: Accepted, recording: Recording) -> None:
    session = user.client.session
    token = session.tokens.id_token if session else ""
    response = http.get(
        accepted.poll,
        params={"wait_seconds": str(_POLL_SECONDS)},
        headers={"Authorization": f"Bearer {token}"},
    )
    if response.status_code == 429:
        time.sleep(float(response.headers["Retry-After"]))
    elif response.status_code == 200:
        for reply in response.json()["replies"]:
            recording.add_reply(reply)
