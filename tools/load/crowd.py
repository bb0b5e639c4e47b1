"""The users of one run: logged in, warmed up, and with bills to pay."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from billing_client import BillingError

from tools.load.errors import LoadError
from tools.load.loops import Threads, closed_loops, open_loop
from tools.load.samples import Recording
from tools.load.schedule import Arrival, Mix
from tools.load.target import Target
from tools.load.users import User

# No operation takes less than this here, so a user of a closed loop can't do more of them.
_LEAST_SECONDS = 0.05
WARM_UP_THREADS = 4


@dataclass(frozen=True)
class Crowd:
    """Users of a target, all recorded in one recording."""

    target: Target
    users: Sequence[User]
    recording: Recording

    def closed(self, *, mix: Mix, seconds: float, think_seconds: float, seed: str) -> None:
        """Run a closed loop of all users."""
        most = math.ceil(seconds / (think_seconds + _LEAST_SECONDS) * mix.share("pay")) + 2
        for number, user in enumerate(self.users):
            self._stock(number, most - len(user.bills))
        closed_loops(
            self.users,
            mix=mix,
            recording=self.recording,
            seconds=seconds,
            think_seconds=think_seconds,
            sleep=time.sleep,
            seed=seed,
        )

    def open(self, arrivals: Sequence[Arrival], threads: Threads) -> None:
        """Run arrivals of an open loop; what they started may go on when this returns."""
        open_loop(
            arrivals,
            users=self.users,
            recording=self.recording,
            sleep=time.sleep,
            submit=threads.submit,
        )

    def sleep_until(self, second: float) -> None:
        """Sleep until a second of the run."""
        time.sleep(max(0.0, second - self.recording.now()))

    def stock_for(self, arrivals: Iterable[Arrival]) -> None:
        """Issue as many bills as will be paid."""
        for user, count in Counter(a.user for a in arrivals if a.operation == "pay").items():
            self._stock(user, count)

    def _stock(self, number: int, count: int) -> None:
        user, office = self.users[number], self.target.office
        if office:
            user.bills.extend(office.issue(user.resident.apartment_id, max(0, count)))
        elif not user.bills:
            user.find_bills()


@contextmanager
def crowd_of(
    target: Target, *, users: int, timeout_seconds: float, paid_bills: int = 12
) -> Iterator[Crowd]:
    """Give users of a target; raises LoadError when they can't log in."""
    office = target.office
    residents = office.residents(users, paid_bills=paid_bills) if office else target.residents
    recording = Recording(time.monotonic)
    crowd = [
        # A file with fewer residents has some at several devices.
        User(number, residents[number % len(residents)], recording, target.api, timeout_seconds)
        for number in range(users)
    ]
    try:
        _warm_up(crowd)
        yield Crowd(target, crowd, recording)
    finally:
        for user in crowd:
            user.close()


def _warm_up(crowd: Sequence[User]) -> None:
    with ThreadPoolExecutor(WARM_UP_THREADS) as pool:
        try:
            for done in [pool.submit(user.warm_up) for user in crowd]:
                done.result()
        except BillingError as error:
            raise LoadError(f"The users can't log in: {error}") from error
