"""The table of promises speaks of faults, steps and invariants that there are, and misses none."""

from __future__ import annotations

import json

import pytest

from tests.matrix.faults import FAULTS
from tests.matrix.promises import DEBTS, HISTORY, LOGINS, PAYMENTS, Table
from tests.matrix.truths import TRUTHS
from tools.chaos.proxies import STEPS
from tools.local.settings import REPOSITORY

TABLES = [PAYMENTS, DEBTS, HISTORY, LOGINS]
INVARIANTS = json.loads((REPOSITORY / "terraform" / "invariants.json").read_text("utf-8"))
# These strike at any step; the others have their own.
ANYTIME = {"worker_killed", "postgres_stopped", "postgres_cut", "postgres_frozen", "secret_rotated"}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_names_faults_steps_and_invariants_that_there_are(table: Table) -> None:
    promises = [promise for row in table.values() for promise in row.values()]
    named = {name for promise in promises for name in promise.keeps}
    assert set(table) <= set(FAULTS)
    assert {step for row in table.values() for step in row} <= set(STEPS)
    assert named <= set(TRUTHS)
    assert named <= {invariant["name"] for invariant in INVARIANTS.values()}


def test_each_fault_strikes_somewhere() -> None:
    # One that outlasts all receives ends otherwise than the table can say: it has its own test.
    assert {fault for table in TABLES for fault in table} == set(FAULTS) - {"postgres_away"}


@pytest.mark.parametrize("fault", sorted(ANYTIME))
def test_payments_are_struck_at_each_step(fault: str) -> None:
    assert tuple(PAYMENTS[fault]) == STEPS


@pytest.mark.parametrize("fault", sorted(name for name in FAULTS if name.startswith("redis")))
def test_reads_are_struck_by_redis_at_each_step_before_the_end(fault: str) -> None:
    assert tuple(DEBTS[fault]) == STEPS[:-1]
