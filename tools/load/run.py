"""Runs a closed or an open loop against a target, then looks for what was lost."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any

import click
from billing_client import BillingError

from billing_app.domain.limits import MAX_LINES
from tools.load.report import Recording, summarize
from tools.load.target import Target
from tools.load.users import Bill, User
from tools.load.workload import Clock, Mix, arrivals, closed_loop, open_loop
from tools.local.demo_data import PROVIDERS
from tools.operator_client import new_bill

_THREADS = 400
_LOGIN_THREADS = 4
# No operation takes less than this here, so a user of a closed loop can't call more often.
_SHORTEST_SECONDS = 0.05
_SETTLE_SECONDS = 90.0
_AMOUNT_MINOR = 1250


@dataclass(frozen=True)
class Settings:
    """The load. Times are in seconds.

    With a `rate` (operations a second) the loop is open, without one it is closed.
    """

    users: int
    mix: Mix
    seconds: float
    timeout: float = 60.0
    seed: str = "1"
    think: float = 0.5
    rate: float | None = None


def run(target: Target, settings: Settings) -> dict[str, Any]:
    """Put the load on the target and return its report."""
    recording = Recording()
    with _users(target, settings, recording) as users:
        if settings.rate is None:
            _closed(target, settings, users)
        else:
            _open(target, settings, users, settings.rate)
        measured = summarize(recording)
        return {**measured, "ledger": check_ledger(target, users)}


def _closed(target: Target, settings: Settings, users: Sequence[User]) -> None:
    """Have all users call and think."""
    calls = settings.seconds / (settings.think + _SHORTEST_SECONDS)
    share = settings.mix.get("pay", 0.0) / sum(settings.mix.values())
    for user in users:
        issue(target, user, math.ceil(calls * share) + 2)

    def use(number: int) -> None:
        closed_loop(
            users[number],
            settings.mix,
            seconds=settings.seconds,
            think=settings.think,
            seed=f"{settings.seed} {number}",
            clock=Clock(),
        )

    with ThreadPoolExecutor(len(users)) as pool:
        list(pool.map(use, range(len(users))))


def _open(target: Target, settings: Settings, users: Sequence[User], rate: float) -> None:
    """Have operations arrive, and wait until the last one has ended."""
    planned = arrivals(
        settings.mix,
        rate=rate,
        seconds=settings.seconds,
        users=len(users),
        seed=settings.seed,
    )
    payments = Counter(arrival.user for arrival in planned if arrival.operation == "pay")
    for number, count in payments.items():
        issue(target, users[number], count)
    with ThreadPoolExecutor(_THREADS) as pool:
        open_loop(planned, users, pool=pool, clock=Clock())


def issue(target: Target, user: User, count: int) -> None:
    """Give a user bills to pay; at a service that runs, those that they owe."""
    if target.operator is None:
        user.bills.extend(user.debts())
    elif count:
        apartment, provider = user.resident.apartment_id, next(iter(PROVIDERS))
        for begin in range(0, count, MAX_LINES):
            number = min(MAX_LINES, count - begin)
            lines = [new_bill(apartment, provider, _AMOUNT_MINOR) for _ in range(number)]
            issued = target.operator.import_bills(lines)
            user.bills.extend(Bill(bill_id, _AMOUNT_MINOR) for bill_id in issued)


def check_ledger(
    target: Target, users: Sequence[User], *, settle_seconds: float = _SETTLE_SECONDS
) -> dict[str, Any]:
    """Fetch the answers that nobody waited for, and compare receipts with histories.

    It waits `settle_seconds` for the answers of a user, and returns what was lost: requests without
    an answer, and bills whose payments in the resident's history are not exactly the one of the
    receipt. `reconciled` is None without an operator.
    """
    unanswered = [one for user in users for one in user.collect(seconds=settle_seconds)]
    wrong = [bill for user in users for bill in _wrong_receipts(user)]
    operator = target.operator
    reconciled = bool(operator.do("reconcile", {})["agrees"]) if operator else None
    return {
        "holds": not unanswered and not wrong and reconciled is not False,
        "unanswered": sorted(one.request_id or one.path for one in unanswered),
        "receipts": sum(len(user.receipts) for user in users),
        "wrong_receipts": sorted(wrong),
        "reconciled": reconciled,
    }


def _wrong_receipts(user: User) -> list[str]:
    payments = defaultdict(list)
    for event in user.client.history(user.resident.apartment_id):
        if event.event == "payment":
            payments[event.bill_id].append(event.payment_id)
    return [bill for bill, payment in user.receipts.items() if payments[bill] != [payment]]


@contextmanager
def _users(target: Target, settings: Settings, recording: Recording) -> Iterator[list[User]]:
    """Give users who are logged in and have their reply queues.

    Raises:
        click.ClickException: a user can't log in.
    """
    with ExitStack() as stack, ThreadPoolExecutor(_LOGIN_THREADS) as pool:
        users = []
        for number in range(settings.users):
            # With fewer residents than users, some are there at several devices.
            resident = target.residents[number % len(target.residents)]
            user = User(resident, recording, api=target.api, timeout=settings.timeout)
            users.append(stack.enter_context(closing(user)))
        try:
            list(pool.map(lambda user: (user.login(), user.debts()), users))
        except BillingError as error:
            raise click.ClickException(f"The users can't log in: {error}") from error
        yield users
