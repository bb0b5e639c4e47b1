"""Runs calls at the same time, each on a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

from tests.support.ledger import Ledger

# A role, and what to do as it.
Runner = tuple[str, Callable[[Ledger], Any]]


def race(ledger: Ledger, runners: Sequence[Runner]) -> list[Any]:
    """Start all runners at once, each with a fresh connection of its role; return their results.

    Raises what the first failing runner raised.
    """
    start = threading.Barrier(len(runners))

    def run(runner: Runner) -> Any:
        role, act = runner
        with closing(ledger.database.login(role).connect()) as connection:
            start.wait(timeout=10)
            return act(ledger.on(connection))

    with ThreadPoolExecutor(len(runners)) as pool:
        return list(pool.map(run, runners))
