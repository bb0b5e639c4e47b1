"""Each fault at each step of a read or login ends as expected; the table misses no fault."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.matrix.expectations import DEBTS, HISTORY, LOGINS, PAYMENTS, Expected, cases
from tests.matrix.faults import FAULTS
from tests.matrix.harness import Harness
from tests.matrix.messages import Request
from tests.matrix.scenario import Scenario, scenario
from tools.chaos.proxies.tcp import STEPS

WHOLE = {"date_up": None, "date_down": None}
PASSWORD = "Canary-Passw0rd-1"
# These strike at any step; the others have their own.
ANYTIME = ("worker_killed", "postgres_stopped", "postgres_cut", "postgres_frozen", "secret_rotated")


def read_once_and_paid(given: Scenario, **body: object) -> None:
    """Put what is true now into the cache, then pay: from now on it is old."""
    first, second, left = given.ledger.bills(given.home, 300, 20, 1)
    given.pay_directly(first)
    given.start_worker()
    given.answered(given.request(**body))
    given.old_entries = given.harness.cached_values()
    given.pay_directly(second)
    given.open = {left}


@pytest.mark.parametrize(("fault", "step", "expected"), cases(DEBTS))
def test_debts_end_as_expected(harness: Harness, fault: str, step: str, expected: Expected) -> None:
    """They are what the ledger says."""
    with scenario(harness, "utils", fault) as given:
        read_once_and_paid(given)
        given.ends_as(expected, given.request(), step=step)


@pytest.mark.parametrize(("fault", "step", "expected"), cases(HISTORY))
def test_a_history_ends_as_expected(
    harness: Harness, fault: str, step: str, expected: Expected
) -> None:
    with scenario(harness, "histories", fault) as given:
        read_once_and_paid(given, **WHOLE)
        given.ends_as(expected, given.request(**WHOLE), step=step)


def login(given: Scenario) -> Request:
    """Make a user with a resident, and return their login."""
    username, pool_id = f"user-{uuid4().hex[:12]}", given.harness.cloud.user_pool_id
    subject = given.harness.add_user(pool_id, username, PASSWORD)
    given.ledger.ask("operator", "add_resident", subject, given.name)
    given.passwords = (PASSWORD, username)
    return Request("auth", {"username": username, "password": PASSWORD}, subject)


@pytest.mark.parametrize(("fault", "step", "expected"), cases(LOGINS))
def test_a_login_ends_as_expected_with_no_password_left_anywhere(
    harness: Harness, fault: str, step: str, expected: Expected
) -> None:
    with scenario(harness, "auth", fault) as given:
        given.ends_as(expected, login(given), step=step)
        assert given.count() == 0


def test_each_fault_strikes_somewhere() -> None:
    # One that outlasts all receives ends otherwise than the table can say: it has its own test.
    named = {fault for table in (PAYMENTS, DEBTS, HISTORY, LOGINS) for fault in table}
    assert named == {name for name, fault in FAULTS.items() if not fault.lasts}
    assert all(tuple(PAYMENTS[name]) == STEPS for name in ANYTIME)
    # Redis is not asked any more once the reply is sent.
    of_redis = [name for name in FAULTS if name.startswith("redis")]
    assert all(tuple(DEBTS[name]) == STEPS[:-1] for name in of_redis)
