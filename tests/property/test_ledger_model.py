"""The service against a plain model of its ledger: whatever is done, in whatever order.

Real are the use cases, Postgres and Redis; see README.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import engine
from hypothesis.stateful import run_state_machine_as_test

from billing_app.adapters import redis_cache
from billing_app.use_cases import history
from chalicelib import replies
from tests.property.machine import Run
from tests.property.payment_rules import PaymentRules
from tests.property.read_rules import ReadRules
from tests.property.service import RealService, on_postgres
from tests.support.databases import LedgerDatabase
from tests.support.hypothesis_profiles import own_timeout, runs_long

pytestmark = pytest.mark.timeout(own_timeout(300))
# Hypothesis looks for a shorter example for five minutes; on a database this much is enough.
SHRINKING_SECONDS = 30

# The same examples each time, so that what is reached below is no matter of luck. A long run takes
# others each time.
SHORT = settings(
    max_examples=80,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

# What must have happened in a run: each end that an action can have, and what is worth meeting.
REACHED = {
    "issue": {
        "issued",
        "revised",
        "already_present",
        "a file again",
        "apartment_not_found",
        "provider_not_found",
        "utility_not_found",
        "reference_of_other_apartment",
        "bill_already_paid",
        "bill_void",
        "probable_duplicate",
        "reference_duplicated",
    },
    "issue, dry": {"issued", "revised", "bill_already_paid", "probable_duplicate"},
    "void": {"done", "bill_not_found", "bill_void", "bill_replaced", "bill_already_paid"},
    "reinstate": {"done", "bill_not_found", "bill_not_void", "bill_replaced", "probable_duplicate"},
    "pay": {
        "done",
        "apartment_not_found",
        "invalid_request",
        "bill_not_found",
        "bill_void",
        "bill_already_paid",
        "currency_mixed",
        "total_changed",
        "idempotency_key_reused",
    },
    "pay, answered as before": {"done", "bill_already_paid", "bill_not_found"},
    "pay, somebody else's": {"bill_already_paid"},
    "pay again, changed": {"nothing", "order", "key", "who", "total"},
    "reverse": {"done", "payment_not_found", "payment_already_reversed"},
    "grant": {
        "done",
        "login_not_found",
        "resident_not_found",
        "apartment_not_found",
        "residency_exists",
    },
    "end": {
        "done",
        "login_not_found",
        "resident_not_found",
        "apartment_not_found",
        "residency_not_found",
    },
    "debts": {"done", "apartment_not_found"},
    "debts, cached, first": {"nothing stored", "something", "something stored"},
    "debts, cached, again": {"something"},
    "sync": {
        "done",
        "apartment_not_found",
        "invalid_cursor",
        "history_frame_unknown",
        "one part",
        "several parts",
        "more",
        "upward",
        "downward",
        "less is seen",
        "to the end",
    },
    "redis": {"forgets", "is saved", "goes back"},
}


class LedgerMachine(PaymentRules, ReadRules):
    """All rules together."""


@pytest.fixture
def service(database: LedgerDatabase, redis_secret: Mapping[str, Any]) -> Iterator[RealService]:
    """Give the service, with pages and parts of few events and a patient cache."""
    with (
        on_postgres(database, redis_secret) as service,
        patch.object(history, "PAGE_EVENTS", 3),
        patch.object(replies, "PART_MAX_BYTES", 2_000),
        patch.object(redis_cache, "TIMEOUT_SECONDS", 10),
        patch.object(engine, "MAX_SHRINKING_SECONDS", SHRINKING_SECONDS),
    ):
        yield service


def test_whatever_is_done_the_service_says_what_the_model_says(service: RealService) -> None:
    run = Run(service)
    # Hypothesis calls whatever makes a machine.
    machine: Any = partial(LedgerMachine, run)
    how = settings.get_profile("long") if runs_long() else SHORT
    run_state_machine_as_test(machine, settings=how)
    sys.stdout.write("".join(f"{n:6} {what}\n" for what, n in sorted(run.seen.items())))
    wanted = {f"{action}: {end}" for action, ends in REACHED.items() for end in ends}
    assert wanted - set(run.seen) == set()
