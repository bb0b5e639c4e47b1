"""Runs a closed or an open loop against a target, then looks for every accepted request."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from billing_client import BillingError

from tools.load.errors import LoadError
from tools.load.ledger import check_ledger
from tools.load.recording import Recording
from tools.load.report import summarize
from tools.load.target import Target
from tools.load.users import User
from tools.load.workload import Mix, arrivals, closed_loop, open_loop

_THREADS = 400
_LOGIN_THREADS = 4
# No operation takes less than this here, so a user of a closed loop can't call more often.
_SHORTEST_SECONDS = 0.05


@dataclass(frozen=True)
class Settings:
    """The load. Times are in seconds.

    With a `rate` (operations a second) the loop is open, without one it is closed.
    """

    users: int
    mix: Mix
    seconds: float = 20.0
    timeout: float = 60.0
    seed: str = "1"
    think: float = 0.5
    rate: float | None = None
    poisson: bool = True


def run(target: Target, settings: Settings) -> dict[str, Any]:
    """Put the load on the target and return its report."""
    recording = Recording(time.monotonic)
    with _users(target, settings, recording) as users:
        loop = _Loop(target, settings, recording, users)
        seconds = loop.closed() if settings.rate is None else loop.open(settings.rate)
        ledger = check_ledger(target, users, recording)
    checked = {**asdict(ledger), "holds": ledger.holds}
    return {**summarize(recording, seconds=seconds), "ledger": checked}


@dataclass(frozen=True)
class _Loop:
    target: Target
    settings: Settings
    recording: Recording
    users: list[User]

    def closed(self) -> float:
        """Have all users call and think; returns the seconds that it took."""
        settings = self.settings
        calls = settings.seconds / (settings.think + _SHORTEST_SECONDS)
        for user in self.users:
            self._issue(user, math.ceil(calls * settings.mix.share("pay")) + 2)
        start = self.recording.now()

        def call(number: int) -> None:
            closed_loop(
                self.users[number],
                mix=settings.mix,
                seconds=settings.seconds,
                think=settings.think,
                now=self.recording.now,
                sleep=time.sleep,
                seed=f"{settings.seed} {number}",
            )

        with ThreadPoolExecutor(len(self.users)) as pool:
            list(pool.map(call, range(len(self.users))))
        return self.recording.now() - start

    def open(self, rate: float) -> float:
        """Have operations arrive; returns the seconds until the last one ended."""
        settings = self.settings
        planned = arrivals(
            rate=rate,
            seconds=settings.seconds,
            poisson=settings.poisson,
            mix=settings.mix,
            users=len(self.users),
            seed=settings.seed,
        )
        payments = Counter(arrival.user for arrival in planned if arrival.operation == "pay")
        for user, count in payments.items():
            self._issue(self.users[user], count)
        start = self.recording.now()
        with ThreadPoolExecutor(_THREADS) as pool:
            open_loop(
                planned, callers=self.users, now=self.recording.now, sleep=time.sleep, pool=pool
            )
        return self.recording.now() - start

    def _issue(self, user: User, count: int) -> None:
        """Give a user bills to pay; at a service that runs, those that they owe."""
        operators = self.target.operators
        issued = operators.issue(user.resident.apartment_id, count) if operators else user.debts()
        user.bills.extend(issued)


@contextmanager
def _users(target: Target, settings: Settings, recording: Recording) -> Iterator[list[User]]:
    """Give users who are logged in and have their reply queues.

    Raises:
        LoadError: a user can't log in.
    """
    residents = target.residents
    with ExitStack() as stack, ThreadPoolExecutor(_LOGIN_THREADS) as pool:
        users = [
            # With fewer residents than users, some are there at several devices.
            User(
                number, residents[number % len(residents)], recording, target.api, settings.timeout
            )
            for number in range(settings.users)
        ]
        for user in users:
            stack.enter_context(closing(user))
        try:
            list(pool.map(lambda user: (user.login(), user.debts()), users))
        except BillingError as error:
            raise LoadError(f"The users can't log in: {error}") from error
        yield users
