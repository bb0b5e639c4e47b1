"""Closed and open loops.

In a closed loop each user asks again after the answer: a service that stalls is asked less, and the
stall is measured once for each user. An open loop asks when the schedule says, as residents do who
know nothing of each other, and counts from there: what a stall delays is all measured.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol

from tools.load.samples import Recording
from tools.load.schedule import Arrival, Mix

Submit = Callable[[Callable[[], None]], object]


class Doer(Protocol):
    """Who carries operations out and records them."""

    def do(self, operation: str, *, intended: float) -> None: ...


def closed_loop(
    user: Doer,
    *,
    mix: Mix,
    recording: Recording,
    until: float,
    think: Callable[[], None],
    rng: random.Random,
) -> None:
    """Let one user ask, wait for the answer and think, until that second of the run."""
    while recording.now() < until:
        recording.due()
        user.do(mix.pick(rng), intended=recording.now())
        think()


def closed_loops(
    users: Sequence[Doer],
    *,
    mix: Mix,
    recording: Recording,
    seconds: float,
    think_seconds: float,
    sleep: Callable[[float], None],
    seed: str,
) -> None:
    """Let all users do so at the same time; pauses are exponential around ``think_seconds``."""
    until = recording.now() + seconds

    def run(number: int) -> None:
        rng = random.Random(f"{seed} {number}")
        pauses = random.Random(f"{seed} {number} thinks")

        def think() -> None:
            if think_seconds:
                sleep(pauses.expovariate(1 / think_seconds))

        closed_loop(users[number], mix=mix, recording=recording, until=until, think=think, rng=rng)

    with ThreadPoolExecutor(len(users)) as pool:
        for done in [pool.submit(run, number) for number in range(len(users))]:
            done.result()


def open_loop(
    arrivals: Iterable[Arrival],
    *,
    users: Sequence[Doer],
    recording: Recording,
    sleep: Callable[[float], None],
    submit: Submit,
) -> None:
    """Hand each arrival to ``submit`` when it is due, whatever became of those before."""
    for arrival in arrivals:
        pause = arrival.at - recording.now()
        if pause > 0:
            sleep(pause)
        recording.due()
        submit(_task(users[arrival.user], arrival))


def _task(user: Doer, arrival: Arrival) -> Callable[[], None]:
    return lambda: user.do(arrival.operation, intended=arrival.at)


class Threads(AbstractContextManager["Threads"]):
    """Carries tasks out side by side; leaving it waits for all. A task that raised is reported."""

    def __init__(self, most: int) -> None:
        self._pool = ThreadPoolExecutor(most)
        self._lock = threading.Lock()
        self._failure: BaseException | None = None

    def submit(self, task: Callable[[], None]) -> None:
        """Start a task, or queue it while all threads are busy; raises what an earlier one did."""
        if self._failure is not None:
            raise self._failure
        self._pool.submit(self._run, task)

    def _run(self, task: Callable[[], None]) -> None:
        try:
            task()
        except Exception as error:
            with self._lock:
                self._failure = self._failure or error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=error is not None)
        if error is None and self._failure is not None:
            raise self._failure
