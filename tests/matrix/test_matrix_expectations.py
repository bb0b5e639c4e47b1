"""The table of expectations names faults that there are, and misses none."""

from __future__ import annotations

import pytest

from tests.matrix.expectations import DEBTS, HISTORY, LOGINS, PAYMENTS
from tests.matrix.faults import FAULTS
from tools.chaos.proxies import STEPS

TABLES = [PAYMENTS, DEBTS, HISTORY, LOGINS]
# These strike at any step; the others have their own.
ANYTIME = ("worker_killed", "postgres_stopped", "postgres_cut", "postgres_frozen", "secret_rotated")


def test_each_fault_strikes_somewhere() -> None:
    # One that outlasts all receives ends otherwise than the table can say: it has its own test.
    assert {fault for table in TABLES for fault in table} == set(FAULTS) - {"postgres_away"}


@pytest.mark.parametrize("fault", ANYTIME)
def test_payments_are_struck_at_each_step(fault: str) -> None:
    assert tuple(PAYMENTS[fault]) == STEPS


@pytest.mark.parametrize("fault", sorted(name for name in FAULTS if name.startswith("redis")))
def test_reads_are_struck_by_redis_at_each_step_before_the_end(fault: str) -> None:
    assert tuple(DEBTS[fault]) == STEPS[:-1]
