"""Each fault at each step of a read ends as expected: with what the ledger says."""

from __future__ import annotations

import pytest

from tests.matrix.expectations import DEBTS, HISTORY, Expected, cases
from tests.matrix.faults import entries
from tests.matrix.fixture import Fixture, fixture
from tests.matrix.harness import Harness

WHOLE = {"date_up": None, "date_down": None}


def read_once_and_paid(given: Fixture, operation: str, **body: object) -> None:
    """Put what is true now into the cache, then pay: from now on it is old."""
    scenario = given.scenario
    first, second, left = scenario.ledger.bills(given.home, 300, 20, 1)
    given.pay_directly(first)
    scenario.start_worker()
    given.answered(given.request(operation, **body))
    with scenario.harness.redis_past_proxy() as redis:
        scenario.old_entries = entries(redis)
    given.pay_directly(second)
    given.open = {left}


@pytest.mark.parametrize(("fault", "step", "expected"), cases(DEBTS))
def test_debts_end_as_expected(harness: Harness, fault: str, step: str, expected: Expected) -> None:
    with fixture(harness, "utils", fault) as given:
        read_once_and_paid(given, "utils")
        given.ends_as(expected, given.request("utils"), step=step)


@pytest.mark.parametrize(("fault", "step", "expected"), cases(HISTORY))
def test_a_history_ends_as_expected(
    harness: Harness, fault: str, step: str, expected: Expected
) -> None:
    with fixture(harness, "histories", fault) as given:
        read_once_and_paid(given, "histories", **WHOLE)
        given.ends_as(expected, given.request("histories", **WHOLE), step=step)
