"""Runs calls at the same time, each on a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

from tests.support.databases import LedgerDatabase

# A role, and what to do on a connection of it.
Runner = tuple[str, Callable[[Connection], Any]]


def race(database: LedgerDatabase, runners: Sequence[Runner]) -> list[Any]:
    """Start all runners at once, each with a fresh connection of its role; return their results.

    Raises what the first failing runner raised.
    """
    start = threading.Barrier(len(runners))

    def run(runner: Runner) -> Any:
        role, act = runner
        with closing(database.login(role).connect()) as connection:
            start.wait(timeout=10)
            return act(connection)

    with ThreadPoolExecutor(len(runners)) as pool:
        return list(pool.map(run, runners))
